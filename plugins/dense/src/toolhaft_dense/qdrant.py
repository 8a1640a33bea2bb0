"""The retriever ``qdrant``: vectors in a Qdrant server, for catalogs that outgrow one machine's memory."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.secrets import SecretStore
from toolhaft.tools.specs import HeldSpecs, SpecChanges, Specs, as_specs
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Scored, SecretRef, ToolSpec
from toolhaft_dense.encoder import Encoder, Runtime, graph_cache
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.qdrant_collection import QdrantCollection
from toolhaft_dense.qdrant_connection import QdrantConnection
from toolhaft_dense.settings import check_encoding, check_number
from toolhaft_dense.texts import check_query, passage, text_key
from toolhaft_dense.weights import find_encoder

_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,200}")
_NAMESPACE = uuid.UUID("c2a3b0f4-6a3f-4b57-9a52-2f1c2f1d7a11")
"""Of the ids of points, which are made of the tools' names."""


class Qdrant(Retriever):
    """Finds tools by meaning, with the vectors in a Qdrant: a server by URL, or memory.

    One collection holds one catalog. It is kept when this retriever is closed: the next `index` of the same
    version sends nothing, that of another sends what changed. A collection that something else made is
    never written to.

    Args:
        url: Of a server, as in ``https://qdrant.example.com:6333``; without a port, 6333. None is memory, for
            tests: the folders of qdrant-client hold pickles, which are never read here.
        key: A reference to the server's API key, ``env:QDRANT_API_KEY``.
        allow_hosts: Private and loopback hosts that ``url`` may lead to.
        collection: Its name; empty is made of the catalog's file name and place, and of the encoder. Tools
            that come from no file have nothing to make it of, and on a server need one.
        model: Folder of an encoder, as of `Dense`; likewise ``runtime``, ``precision`` and ``threads``.
        batch: Points sent at once.
        timeout: Seconds that one call to the server may take.
        secrets: Resolves the key.

    Attributes:
        sent: Points that the last `index` or `update` put into the collection.

    Raises:
        ConfigError: A setting makes no sense, or there is no such encoder.
    """

    name = "qdrant"

    def __init__(
        self,
        *,
        url: str | None = None,
        key: str | SecretRef | None = None,
        allow_hosts: str | Sequence[str] = (),
        collection: str = "",
        model: str | Path | None = None,
        runtime: Runtime = "auto",
        precision: Precision = "int8",
        threads: int | None = None,
        batch: int = 256,
        timeout: float = 30.0,
        secrets: SecretStore | None = None,
    ) -> None:
        check_encoding(model=model, runtime=runtime, precision=precision, threads=threads)
        check_number("batch", batch, 1, 10_000)
        check_number("timeout", timeout, 0.01, 3_600, whole=False)
        if not isinstance(collection, str) or (collection and not _COLLECTION.fullmatch(collection)):
            raise ConfigError(
                f"collection is {repr(collection)[:60]}", hint="Use 1 to 200 letters, digits, _ and -"
            )
        self._batch = batch
        self._wanted = collection
        self._connection = QdrantConnection(
            url=_text("url", url),
            key=SecretRef(key) if isinstance(key, str) else key,
            allow_hosts=(allow_hosts,) if isinstance(allow_hosts, str) else tuple(allow_hosts),
            timeout=timeout,
            secrets=secrets or SecretStore(),
        )
        self._encoder = Encoder(
            find_encoder(model), runtime=runtime, precision=precision, threads=threads, cache=graph_cache()
        )
        self._specs: Specs = HeldSpecs(())
        self._put: dict[str, ToolSpec] = {}
        self._collection: QdrantCollection | None = None
        self.sent = 0

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; only what the collection lacks is encoded and sent.

        Raises:
            ConfigError: The collection is not ours, has no name, or is of another encoder; or the encoder
                cannot be loaded.
            ToolhaftError: The server is away, or refuses.
        """
        self._collection = None
        chosen = as_specs(specs)
        if self._connection.is_server and not self._wanted and chosen.place is None:
            raise ConfigError(
                "tools that come from no catalog file need a collection of their own on a server",
                where=self._connection.place,
                hint="Name it: collection=; whoever gives the same name replaces its tools",
            )
        key = await run_in_thread(_key_of, {"encoder": self._encoder})
        version = chosen.version
        collection = QdrantCollection(
            self._connection, self._wanted or _name_of(chosen, key), key, self._encoder.folder.width
        )
        kept = await collection.open()
        self.sent = 0
        if not version or kept != version:
            changes = chosen.changes(kept) if kept else None
            await collection.mark("")
            if changes is None:
                await self._renew(collection, chosen)
            else:
                await self._follow(collection, chosen, changes)
            await collection.mark(version)
        await collection.count()
        self._specs, self._put, self._collection = chosen, {}, collection

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order in which they were added.

        Raises:
            UsageError: ``k`` is no whole number, or the query no text.
            ToolhaftError: The server is away, or refuses.
        """
        found: list[Scored] = []
        for name, score in await self.rank(query, k):
            spec = self._spec(name)
            if spec is not None:
                found.append(Scored(spec, score))
        return found

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return the names and scores of what `retrieve` would find."""
        text = check_query(query, k)
        collection = self._collection
        if collection is None or not collection.size or not text or k < 1:
            return []
        vector = (await run_in_thread(self._encoder.encode, {"texts": [text]}))[0]
        return await collection.nearest(vector, min(k, collection.size))

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add tools to the collection, change or remove some.

        Raises:
            UsageError: Nothing is indexed.
            ToolhaftError: The server is away, or refuses.
        """
        collection = self._collection
        if collection is None:
            raise UsageError("there is no index to change", hint="Index the tools first: index(specs)")
        self.sent = 0
        await collection.mark("")
        await self._send(collection, put)
        staying = {spec.name for spec in put}
        await collection.remove([point_id(name) for name in remove if name not in staying])
        await collection.mark("")
        await collection.count()
        self._put.update({spec.name: spec for spec in put})

    @property
    def engine(self) -> str:
        """Where the vectors are, and how many."""
        if self._collection is None:
            return f"Qdrant at {self._connection.place}"
        named = self._collection
        return f"Qdrant at {self._connection.place}, collection {named.name}, {named.size:,} tools"

    async def close(self) -> None:
        """Let go of the encoder and the connection; the collection is kept."""
        self._collection, self._specs, self._put = None, HeldSpecs(()), {}
        self._encoder.close()
        await self._connection.close()

    async def _renew(self, collection: QdrantCollection, specs: Specs) -> None:
        """Send what is not as it should be, and remove what should not be there."""
        kept = await collection.digests()
        differing = (spec for spec in specs if kept.pop(point_id(spec.name), None) != _digest(spec))
        await self._send(collection, differing)
        await collection.remove(list(kept))

    async def _follow(self, collection: QdrantCollection, specs: Specs, changes: SpecChanges) -> None:
        removed = list(changes.removed)

        def put() -> Iterator[ToolSpec]:
            for name in changes.put:
                try:
                    yield specs.named(name)
                except KeyError:  # it left the catalog's file meanwhile
                    removed.append(name)

        await self._send(collection, put())
        await collection.remove([point_id(name) for name in removed])

    async def _send(self, collection: QdrantCollection, specs: Iterable[ToolSpec]) -> None:
        batch: dict[str, ToolSpec] = {}
        for spec in specs:
            batch[spec.name] = spec
            if len(batch) >= self._batch:
                await self._send_batch(collection, batch)
                batch = {}
        if batch:
            await self._send_batch(collection, batch)

    async def _send_batch(self, collection: QdrantCollection, batch: Mapping[str, ToolSpec]) -> None:
        texts = [passage(spec) for spec in batch.values()]
        vectors = await run_in_thread(self._encoder.encode, {"texts": texts})
        ids = [point_id(name) for name in batch]
        await collection.put(ids, vectors, list(batch), [_digest(spec) for spec in batch.values()])
        self.sent += len(batch)

    def _spec(self, name: str) -> ToolSpec | None:
        try:
            return self._put.get(name) or self._specs.named(name)
        except KeyError:  # removed since it was indexed
            return None


def point_id(name: str) -> str:
    """Return the id of a tool's point."""
    return str(uuid.uuid5(_NAMESPACE, name))


def _key_of(encoder: Encoder) -> str:
    return encoder.key


def _digest(spec: ToolSpec) -> str:
    return text_key(passage(spec)).hex()[:32]


def _name_of(specs: Specs, key: str) -> str:
    """Return the name of a catalog's collection: its file's, and a digest of its place and the encoder."""
    place = specs.place
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", place.stem)[:60] if place is not None else "tools"
    where = str(place.absolute()) if place is not None else ""
    digest = hashlib.sha256(f"{where}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"toolhaft-{stem}-{digest}"


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint="Give one line of text, or leave it out")
    return value
