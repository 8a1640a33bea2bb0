"""BM25 over the words of tools and of their services: the default retriever."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.retrievers.base import Retriever
from toolhaft.retrievers.doubt import Doubt
from toolhaft.retrievers.fields import COMPOSITION, FieldWeights, compose_tokens
from toolhaft.retrievers.known_tools import KnownTools
from toolhaft.retrievers.lexical import shelf
from toolhaft.retrievers.lexical.base import Document, Hit, IndexSettings, TermIndex
from toolhaft.retrievers.lexical.choosing import build_index, open_index
from toolhaft.retrievers.parents import check_share
from toolhaft.retrievers.queries import weigh_terms
from toolhaft.tools.specs import MergedSpecs, Specs
from toolhaft.types import Scored, ToolSpec

_FEW_CHANGES = 0.2
"""Share of a catalog up to which single tools are changed in its index; beyond, it is made anew."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Searched:
    """What is searched: the tools, an index of their names, and for one that was opened a doubt about it."""

    tools: KnownTools
    index: TermIndex
    doubt: Doubt | None = None


class BM25(Retriever):
    """Finds tools by their words: name, service, tags, description and parameters.

    A score is that of BM25 on the words of the tool, each field's repeated by its weight, and on top of it a
    share of the score of its service: the tool's parent as a document of its own, with the words of all its
    tools. In a catalog so small that the usual formula cannot rank (its average idf is not positive) the
    smoothed idf stands in.

    The index of a catalog file is kept beside it, in the folder ``<file>.index``, one for each of the last
    few settings and locks; opening it again reads nothing else, and where single tools of the file changed,
    only those are indexed anew. A few other tools that are searched together with the file's are added in
    memory.

    Args:
        k1: Saturation of term frequency.
        b: Strength of length normalisation, 0 to 1.
        epsilon: Share of the average idf that very common words get.
        weights: How often each field counts: a `FieldWeights` or a mapping by field name.
        parent_boost: Share of its service's score that a tool gets on top, 0 to 10. 0 leaves plain BM25.
        category_boost: Share of the best score among the tools with the same first tag that each of them
            gets on top, 0 to 10.
        grams: Weight of runs of five characters beside words, 0 to 10: finds what is misspelt, in an index
            that is several times as large. Neither this nor ``category_boost`` gained on the development
            sets (docs/explanation/tool-search.md), so both are 0.
        keep: Whether to keep an index beside a catalog file.

    Raises:
        UsageError: A setting is out of range or names no field.
    """

    name = "bm25"

    def __init__(
        self,
        *,
        k1: float = 2.0,
        b: float = 0.75,
        epsilon: float = 0.25,
        weights: FieldWeights | Mapping[str, int] | None = None,
        parent_boost: float = 1.2,
        category_boost: float = 0.0,
        grams: float = 0.0,
        keep: bool = True,
    ) -> None:
        self._weights = read_weights(weights)
        self._parent_boost = check_share(parent_boost)
        self._category_boost = check_share(category_boost, "category_boost")
        self._grams = check_share(grams, "grams")
        self._keep = keep
        composition = f"{COMPOSITION}:{_written(self._weights)}{',grams' if grams else ''}"
        self._settings = IndexSettings(k1=k1, b=b, epsilon=epsilon, composition=composition)
        self._searched = _Searched(KnownTools(), build_index((), self._settings))
        self._changing = threading.Lock()

    async def index(self, specs: Sequence[ToolSpec]) -> None:
        """Make these tools the ones to search; what was indexed before is forgotten."""
        from toolhaft.tools.threads import run_in_thread

        await run_in_thread(self._replace, {"specs": specs})

    async def retrieve(self, query: str, k: int = 5) -> list[Scored]:
        """Return at most ``k`` tools, best first, equal scores in the order of the catalog.

        Raises:
            UsageError: ``k`` is no whole number, or the query no text.
        """
        searched, hits = await self._hits(query, k)
        found = searched.tools.find(hit.name for hit in hits)
        if self._is_foreign(searched, hits, found, query):
            await self._mend(searched, "the search index is not of these tools")
            searched, hits = await self._hits(query, k)
            found = searched.tools.find(hit.name for hit in hits)
        pairs = zip(hits, found, strict=True)
        return [Scored(spec, hit.score) for hit, spec in pairs if spec is not None]

    async def rank(self, query: str, k: int = 5) -> list[tuple[str, float]]:
        """Return names and scores; no tool is read. Errors are those of `retrieve`."""
        _, hits = await self._hits(query, k)
        return [(hit.name.partition("#")[0], hit.score) for hit in hits]

    async def update(self, put: Sequence[ToolSpec] = (), remove: Iterable[str] = ()) -> None:
        """Add, change or remove single tools; the others are not read."""
        from toolhaft.tools.threads import run_in_thread

        await run_in_thread(self._change, {"put": tuple(put), "remove": tuple(remove)})

    @property
    def engine(self) -> str:
        """What does the work, for people."""
        return self._searched.index.engine

    async def close(self) -> None:
        """Let go of the files of the index."""
        self._searched.index.close()

    async def _hits(self, query: str, k: int) -> tuple[_Searched, list[Hit]]:
        if not isinstance(query, str):
            raise UsageError(f"the query is {repr(query)[:60]}", hint="Give text")
        if not isinstance(k, int) or isinstance(k, bool):
            raise UsageError(f"k is {repr(k)[:60]}", hint="Give a whole number")
        searched = self._searched
        try:
            return searched, self._top(searched.index, query, k)
        except FormatError as error:
            await self._mend(searched, error)
        searched = self._searched
        return searched, self._top(searched.index, query, k)

    def _top(self, index: TermIndex, query: str, k: int) -> list[Hit]:
        return index.top(
            weigh_terms(query, self._grams),
            k,
            parent_share=self._parent_boost,
            category_share=self._category_boost,
        )

    def _is_foreign(
        self, searched: _Searched, hits: Sequence[Hit], found: Sequence[ToolSpec | None], query: str
    ) -> bool:
        """Return whether a kept index, that says it is of these tools as they are, turns out not to be."""
        if searched.doubt is None or searched.doubt.settled:
            return False
        names = (hit.name for hit in hits)
        wanted = weigh_terms(query, self._grams).keys()
        if not searched.doubt.is_wrong(zip(names, found, strict=True), wanted):
            return False
        version = searched.index.version
        return bool(version) and version == _file_and_others(searched.tools.specs)[0].version

    async def _mend(self, broken: _Searched, what: FormatError | str) -> None:
        from toolhaft.tools.threads import run_in_thread

        await run_in_thread(self._build_instead, {"broken": broken, "what": what})

    def _replace(self, specs: Sequence[ToolSpec]) -> None:
        # Writers take turns in their threads. A query takes what is searched once, whole, and waits for none.
        with self._changing:
            tools = KnownTools(specs)
            index, opened = self._open_warm(tools)
            before = self._searched.index
            self._searched = _Searched(tools, index, Doubt(self._terms) if opened else None)
            before.close()

    def _change(self, put: Sequence[ToolSpec], remove: Sequence[str]) -> None:
        with self._changing:
            tools, index = self._searched.tools, self._searched.index
            added, gone = tools.change(put, remove)
            documents = [self._document(spec.name, spec) for spec in added]
            version = self._version_after(tools.specs, index.version, documents, gone)
            if not version:  # what is kept stays what the file says
                index.detach()
            try:
                index.change(put=documents, remove=gone, version=version)
                self._warm(index)
            except FormatError as error:
                self._build_anew(error)

    def _build_instead(self, broken: _Searched, what: FormatError | str) -> None:
        with self._changing:
            if self._searched.index is broken.index:  # else another query was first
                self._build_anew(what)

    def _build_anew(self, what: FormatError | str) -> None:
        tools = self._searched.tools
        place = self._folder(tools) if isinstance(what, str) else None
        _logger.warning("%s%s; the search index is made anew", f"{place}: " if place else "", what)
        self._searched = _Searched(tools, self._build(tools))

    def _version_after(
        self, specs: Specs, before: str, put: Sequence[Document], removed: Sequence[str]
    ) -> str:
        """Return the version of an index after a change: the catalog's if that changed just so, or none."""
        # The version is asked for first: what is written to the file meanwhile is then found as a change.
        version = specs.version
        changes = specs.changes(before) if before else None
        if changes is None or set(changes.put) != {each.name for each in put}:
            return ""
        if not set(changes.removed) <= set(removed):
            return ""
        try:
            same = all(self._document(each.name, specs.named(each.name)) == each for each in put)
        except KeyError:
            return ""
        return "" if not same or any(_has(specs, name) for name in removed) else version

    def _open_warm(self, tools: KnownTools) -> tuple[TermIndex, bool]:
        """Return an index of the tools, and whether another process wrote it."""
        file, others = _file_and_others(tools.specs)
        if others and self._keep and len(tools.specs) - len(file) <= _FEW_CHANGES * len(file):
            return self._open_with(others, tools, file)
        found = self._open(tools)
        opened = found is not None
        index = self._build(tools) if found is None else found
        try:
            self._warm(index)
        except FormatError as error:
            _logger.warning("%s; the search index is made anew", error)
            index.close()
            return self._build(tools), False
        with suppress(FormatError):  # reading the first spec takes longest; that it is damaged is told later
            tools.specs.several(islice(tools.specs.names(), 1))
        return index, opened

    def _open_with(self, others: Sequence[Specs], tools: KnownTools, file: Specs) -> tuple[TermIndex, bool]:
        """Return the index that is kept of a catalog file, with a few other tools in it in memory alone."""
        index, opened = self._open_warm(KnownTools(file))
        index.detach()
        documents = [self._document(spec.name, spec) for part in others for spec in part]
        try:
            index.change(put=documents, version=index.version)
            self._warm(index)
        except FormatError as error:
            _logger.warning("%s; the search index is made anew", error)
            index.close()
            return self._build(tools), False
        return index, opened

    def _warm(self, index: TermIndex) -> None:
        """Have an index prepare what it would at its first query."""
        self._top(index, "prepare", 1)

    def _open(self, tools: KnownTools) -> TermIndex | None:
        """Return the kept index of the tools, brought up to date, or None where it must be made anew."""
        folder, version = self._folder(tools), tools.specs.version
        found = open_index(folder, self._settings) if folder is not None else None
        if found is None or folder is None:
            return None
        shelf.note_use(folder)
        try:
            if found.version == version or self._catch_up(found, tools.specs, version):
                return found
        except FormatError as error:
            _logger.warning("%s; the search index is made anew", error)
        found.close()
        return None

    def _catch_up(self, index: TermIndex, specs: Specs, version: str) -> bool:
        """Bring a kept index up to date; False where that is not known, or too much changed."""
        changes = specs.changes(index.version) if index.version else None
        if changes is None or len(changes.put) + len(changes.removed) > _FEW_CHANGES * len(index):
            return False
        try:
            documents = [self._document(name, specs.named(name)) for name in changes.put]
        except KeyError:  # changed once more in the meantime
            return False
        index.change(put=documents, remove=changes.removed, version=version)
        return True

    def _build(self, tools: KnownTools) -> TermIndex:
        # The version is asked for first: what is written to the file meanwhile is then found as a change.
        # Tools that were changed here alone are not what the file says, and their index is not kept.
        folder, version = self._folder(tools), tools.specs.version
        index = build_index(
            self._documents(tools),
            self._settings,
            folder=folder,
            version=version,
            progress=self._telling(len(tools.specs)),
        )
        if folder is not None:
            shelf.make_room(folder)
        return index

    def _telling(self, total: int) -> Callable[[int], None] | None:
        tell = self.progress
        return None if tell is None else lambda done: tell(done, max(done, total))

    def _documents(self, tools: KnownTools) -> Iterator[Document]:
        return (self._document(key, spec) for key, spec in tools.keyed())

    def _document(self, key: str, spec: ToolSpec) -> Document:
        category = next(iter(spec.tags), "")
        return Document(name=key, terms=self._terms(spec), parent=spec.parent, category=category)

    def _terms(self, spec: ToolSpec) -> list[str]:
        return compose_tokens(spec, self._weights, grams=self._grams > 0)

    def _folder(self, tools: KnownTools) -> Path | None:
        place = tools.specs.place
        if not self._keep or place is None or not tools.specs.version or tools.changed:
            return None
        return shelf.folder_for(place, self._settings, tools.specs.view)


def read_weights(weights: FieldWeights | Mapping[str, Any] | None) -> FieldWeights:
    """Return field weights from a setting.

    Raises:
        UsageError: A field is unknown, or a weight is no whole number from 0 to 20.
    """
    if weights is not None and not isinstance(weights, FieldWeights | Mapping):
        raise UsageError(
            f"weights is {repr(weights)[:60]}", hint="Give whole numbers by field, as in {'name': 5}"
        )
    if isinstance(weights, FieldWeights):
        given = {name: getattr(weights, name) for name in FieldWeights.__slots__}
    else:
        given = dict(weights or {})
    for name, weight in given.items():
        if name not in FieldWeights.__slots__:
            raise UsageError(
                f"there is no field {name!r} to weigh", hint=f"Fields: {', '.join(FieldWeights.__slots__)}"
            )
        if not isinstance(weight, int) or isinstance(weight, bool) or not 0 <= weight <= 20:
            raise UsageError(f"the weight of {name} is {weight!r}", hint="Use a whole number from 0 to 20")
    return FieldWeights(**given)


def _written(weights: FieldWeights) -> str:
    return ",".join(str(getattr(weights, name)) for name in FieldWeights.__slots__)


def _file_and_others(specs: Specs) -> tuple[Specs, Sequence[Specs]]:
    """Return the part of merged specs that an index is kept of, and the others; else all, and none."""
    parts = specs.parts if isinstance(specs, MergedSpecs) else ()
    kept = [part for part in parts if part.place is not None and part.version]
    if len(kept) != 1:
        return specs, ()
    return kept[0], [part for part in parts if part is not kept[0]]


def _has(specs: Specs, name: str) -> bool:
    try:
        specs.named(name)
    except KeyError:
        return False
    return True
