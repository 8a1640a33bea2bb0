"""Retrieval data in ToolBench's layout: a corpus, queries and judgements.

Two forms are read. As ToolBench's own scripts write them: ``corpus.tsv`` (a line of titles, then ``docid``
and ``document_content``, a JSON object or plain text), ``train.query.txt`` and ``test.query.txt`` (id, text)
and ``qrels.train.tsv`` and ``qrels.test.tsv`` (query, 0, document, 1), with tabs between. And as JSON lines:
``corpus.jsonl``, ``queries.jsonl`` (``id``, ``text``, ``subset``) and ``qrels.tsv``. Any may be packed
(``.gz``).

Documents of the same category, tool and API are one tool: later ones are dropped, and judgements of them
count for the first. ToolBench's own evaluator counts them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UnknownNameError
from toolhaft.runs.search_sets.base import SearchQuery, SearchSet, checked, distinct
from toolhaft.runs.search_sets.lines import (
    find_file,
    read_object,
    read_objects,
    read_rows,
    seek_file,
    text_of,
)
from toolhaft.runs.search_sets.naming import name_documents
from toolhaft.types import ToolSpec

PARTS = ("test", "train")
MOST_DOCUMENTS = 5_000_000
_JUDGED = {"0": False, "1": True}


def is_toolbench(folder: Path) -> bool:
    """Whether a folder has a corpus of this layout."""
    return seek_file(folder, "corpus.tsv", "corpus.jsonl") is not None


def read_toolbench(folder: Path, part: str = "") -> SearchSet:
    """Read a folder.

    Args:
        folder: With the files that the module tells of.
        part: ``test`` or ``train``; empty is ``test``. In the form of JSON lines a ``subset``; empty is all.

    Raises:
        UsageError: A file is missing or cannot be read, or there is no such part.
        FormatError: A row is not what it should be; ``where`` has the line.
    """
    specs, names, notes = _read_corpus(find_file(folder, "corpus.tsv", "corpus.jsonl"))
    lines = seek_file(folder, "queries.jsonl")
    if lines is None:
        if part and part not in PARTS:
            raise UnknownNameError("part", part, PARTS, where=str(folder))
        part = part or "test"
        gold = _read_judgements(find_file(folder, f"qrels.{part}.tsv"), names)
        rows = _table(find_file(folder, f"{part}.query.txt"))
    else:
        gold = _read_judgements(find_file(folder, "qrels.tsv"), names)
        rows = _objects(lines)
    categories = {name: spec.tags[0] for name, spec in specs.items() if spec.tags}
    queries = [
        SearchQuery(
            id=id,
            text=text,
            gold=distinct(gold.get(id, ())),
            category=subset
            or next((categories[name] for name in gold.get(id, ()) if name in categories), ""),
            where=where,
        )
        for id, text, subset, where in rows
    ]
    if lines is not None and part:
        subsets = distinct([query.category for query in queries])
        if part not in subsets:
            raise UnknownNameError("part", part, subsets, where=str(lines))
        queries = [query for query in queries if query.category == part]
    asked = checked(queries, str(lines or folder))
    return SearchSet(
        name=" ".join(filter(None, (folder.resolve().name, part))),
        queries=asked,
        specs=tuple(specs.values()),
        notes=tuple(notes),
    )


def _read_corpus(path: Path) -> tuple[dict[str, ToolSpec], dict[str, str], list[str]]:
    """Return the specs by name, the name of each document, and what is to be said."""
    documents = _corpus_table(path) if ".tsv" in path.suffixes else _corpus_objects(path)
    first: dict[tuple[str, ...], str] = {}
    kept: dict[str, tuple[dict[str, Any], str]] = {}
    stands_for: dict[str, str] = {}
    for id, content, where in documents:
        if id in stands_for:
            raise FormatError(f"two documents have the id {id!r:.80}", where=where)
        key = _key(content, id)
        stands_for[id] = first.setdefault(key, id)
        if stands_for[id] == id:
            kept[id] = content, where
        if len(stands_for) > MOST_DOCUMENTS:
            raise FormatError(f"more than {MOST_DOCUMENTS:,} documents", where=where)
    if not kept:
        raise FormatError("there are no documents in it", where=str(path))
    parts = [(_text(content, "tool_name"), _text(content, "api_name", "id")) for content, _ in kept.values()]
    names = dict(zip(kept, name_documents(parts, list(kept)), strict=True))
    specs = {names[id]: _spec(names[id], id, content, where) for id, (content, where) in kept.items()}
    dropped = len(stands_for) - len(kept)
    noun = "document is" if dropped == 1 else "documents are"
    notes = [f"{dropped:,} {noun} another of the same category, tool and API, and counts as it"] * (
        dropped > 0
    )
    return specs, {id: names[same] for id, same in stands_for.items()}, notes


def _corpus_table(path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    rows = read_rows(path, "\t", 2)
    titles, where = next(rows, ([], str(path)))
    if titles != ["docid", "document_content"]:
        raise FormatError(
            f"the titles are {', '.join(titles)[:80]}",
            where=where,
            hint="They are docid and document_content",
        )
    for (id, text), where in rows:
        is_object = text.lstrip().startswith("{")
        yield id, read_object(text, where) if is_object else {"id": id, "description": text}, where


def _corpus_objects(path: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    for row, where in read_objects(path):
        yield text_of(row, ("id",), where), row, where


def _key(content: Mapping[str, Any], id: str) -> tuple[str, ...]:
    """Return what makes a document the same tool as another; one without a name of its own is no other's."""
    api = _text(content, "api_name")
    if not api:
        return (id,)
    return _text(content, "category_name", "category"), _text(content, "tool_name"), api


def _spec(name: str, id: str, content: Mapping[str, Any], where: str) -> ToolSpec:
    category = _text(content, "category_name", "category")
    required = _parameters(content, "required_parameters", where)
    optional = _parameters(content, "optional_parameters", where)
    schema: dict[str, Any] = {"type": "object", "properties": {**optional, **required}}
    if required:
        schema["required"] = list(required)
    return ToolSpec(
        name=name,
        description=_text(content, "api_description", "description"),
        parameters=schema,
        effect="read",
        tags=(category.replace("_", " "),) if category else (),
        parent=_text(content, "tool_name"),
        source=f"document:{id}",
    )


def _parameters(content: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    listed = content.get(key) or []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise FormatError(f"{key!r} is no list of objects", where=where)
    return {
        str(entry.get("name")): {"type": "string", "description": str(entry.get("description") or "")}
        for entry in listed
    }


def _text(content: Mapping[str, Any], *keys: str) -> str:
    return next((str(content[key]) for key in keys if content.get(key) not in (None, "")), "")


def _read_judgements(path: Path, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of the tools that each query needs; a document that is not there keeps its id."""
    gold: dict[str, list[str]] = {}
    for number, ((query, _, document, relevance), where) in enumerate(read_rows(path, "\t", 4)):
        if relevance not in _JUDGED:
            if number == 0 and relevance == "relevance":
                continue
            raise FormatError(f"the relevance is {relevance!r:.40}", where=where, hint="It is 0 or 1")
        if _JUDGED[relevance]:
            gold.setdefault(query, []).append(names.get(document, f"document:{document}"))
    return gold


def _table(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for (id, text), where in read_rows(path, "\t", 2):
        yield id, text, "", where


def _objects(path: Path) -> Iterator[tuple[str, str, str, str]]:
    for row, where in read_objects(path):
        yield (
            text_of(row, ("id",), where),
            text_of(row, ("text", "query"), where),
            text_of(row, ("subset", "category"), where, needed=False),
            where,
        )
