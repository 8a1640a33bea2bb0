"""One collection of a Qdrant: the points of one catalog, marked as ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from toolhaft.errors import ConfigError, ToolhaftError
from toolhaft_dense.qdrant_connection import QdrantConnection

_MARK = "toolhaft"
_FORMAT = 1
_PAGE = 1_000
_LONGEST_NAME = 200
_LONGEST_DIGEST = 64


class QdrantCollection:
    """The points of one catalog.

    Args:
        connection: Where it is.
        name: Its name there.
        key: What tells the encoder from others.
        width: Numbers in a vector.

    Attributes:
        size: Points, when they were last counted.
    """

    def __init__(self, connection: QdrantConnection, name: str, key: str, width: int) -> None:
        self._connection = connection
        self.name = name
        self._key = key
        self._width = width
        self._next = 0
        self.size = 0

    async def open(self) -> str:
        """Make the collection unless it is there; return the version of the catalog that it holds.

        Raises:
            ConfigError: What is there under this name is not ours, or of another encoder.
        """
        if not await self._connection.call(lambda client, _: client.collection_exists(self.name)):
            await self._make()
            return ""
        found = await self._connection.call(lambda client, _: client.get_collection(self.name))
        mark = (found.config.metadata or {}).get(_MARK)
        if not isinstance(mark, dict) or mark.get("format") != _FORMAT:
            raise ConfigError(
                f"the collection {self.name!r} was not made by this retriever; it is left alone",
                where=self._connection.place,
                hint="Choose another name: collection=. Servers before Qdrant 1.16 keep no mark",
            )
        vectors = found.config.params.vectors
        width = getattr(vectors, "size", None)
        if width != self._width or mark.get("encoder") != self._key:
            raise ConfigError(
                f"the collection {self.name!r} holds vectors of another encoder (of {width} numbers,"
                f" this one gives {self._width})",
                where=self._connection.place,
                hint="Choose another name: collection=, or remove that collection",
            )
        following = mark.get("next")
        self._next = following if isinstance(following, int) else 0
        version = mark.get("version")
        return version if isinstance(version, str) else ""

    async def mark(self, version: str) -> None:
        """Say which version of the catalog the collection holds; empty while that is in doubt."""
        said = self._said(version)
        await self._connection.call(
            lambda client, _: client.update_collection(self.name, metadata={_MARK: said})
        )

    async def count(self) -> None:
        """Count the points."""
        found = await self._connection.call(lambda client, _: client.count(self.name, exact=True))
        self.size = found.count

    async def digests(self) -> dict[str, str]:
        """Return the digest of every point's text by its id."""
        found: dict[str, str] = {}
        offset: Any = None
        while True:
            points, offset = await self._page(offset)
            before = len(found)
            for point in points:
                found[str(point.id)] = str((point.payload or {}).get("digest", ""))[:_LONGEST_DIGEST]
            if offset is None or len(found) == before:  # a server may turn in a circle
                return found

    async def put(
        self, ids: Sequence[str], vectors: Any, names: Sequence[str], digests: Sequence[str]
    ) -> None:
        """Add points, or change those of the same ids."""
        start = self._next
        payloads = [
            {"name": name, "digest": digest, "order": start + place}
            for place, (name, digest) in enumerate(zip(names, digests, strict=True))
        ]
        self._next += len(payloads)
        numbers = vectors.tolist()
        await self._connection.call(
            lambda client, models: client.upsert(
                self.name, points=models.Batch(ids=list(ids), vectors=numbers, payloads=payloads), wait=True
            )
        )

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove points; those that are not there are no error."""
        for start in range(0, len(ids), _PAGE):
            await self._remove(list(ids[start : start + _PAGE]))

    async def nearest(self, vector: Any, k: int) -> list[tuple[str, float]]:
        """Return names and cosines above 0, best first, equal ones in the order in which they were added."""
        numbers = vector.tolist()
        found = await self._connection.call(
            lambda client, _: client.query_points(
                self.name, query=numbers, limit=k, with_payload=["name", "order"]
            )
        )
        hits: list[tuple[float, int, str]] = []
        for point in found.points:
            payload = point.payload or {}
            name, order = payload.get("name"), payload.get("order")
            if not isinstance(name, str) or len(name) > _LONGEST_NAME or not math.isfinite(point.score):
                raise ToolhaftError(
                    f"the collection {self.name!r} holds a point that no tool of ours has",
                    where=self._connection.place,
                    hint="Something else writes to it: choose another name, collection=",
                )
            if point.score > 0:
                hits.append((-point.score, order if isinstance(order, int) else 0, name))
        return [(name, -negative) for negative, _, name in sorted(hits)]

    async def _page(self, offset: Any) -> tuple[Any, Any]:
        found: tuple[Any, Any] = await self._connection.call(
            lambda client, _: client.scroll(
                self.name, limit=_PAGE, offset=offset, with_payload=["digest"], with_vectors=False
            )
        )
        return found

    async def _remove(self, page: list[str]) -> None:
        await self._connection.call(
            lambda client, models: client.delete(
                self.name, points_selector=models.PointIdsList(points=page), wait=True
            )
        )

    async def _make(self) -> None:
        await self._connection.call(
            lambda client, models: client.create_collection(
                self.name,
                vectors_config=models.VectorParams(size=self._width, distance=models.Distance.COSINE),
                metadata={_MARK: self._said("")},
            )
        )

    def _said(self, version: str) -> dict[str, Any]:
        return {"format": _FORMAT, "encoder": self._key, "version": version, "next": self._next}
