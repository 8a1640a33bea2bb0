"""Documents for measuring lexical search: real tools, and perturbed copies of them beyond their number.

Terms are split once and kept in a file of lines ``name TAB parent TAB category TAB terms``, so that every
engine reads the same. Nothing is stemmed, and stop words stay in the documents.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolhaft.text import STOP_WORDS

CHANGED = 0.15
"""Share of a copy's terms that are replaced by terms of other tools."""
_WORD = re.compile(r"[a-z0-9]+")


def split(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def read_lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def document_terms(name: str, parent: str, category: str, record: dict[str, Any]) -> list[str]:
    """Return a tool's terms, those of its name three times and those of its service twice."""
    listed = [*(record.get("required_parameters") or ()), *(record.get("optional_parameters") or ())]
    parameters = [f"{entry.get('name')} {entry.get('description') or ''}" for entry in listed]
    weighted = [name] * 3 + [parent] * 2 + [category, record.get("description") or "", *parameters]
    return split(" ".join(weighted))


def read_tools(data: Path) -> list[tuple[str, str, list[str]]]:
    """Return parent, category and terms of every API that ToolBench's queries name, or that its crawl has."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for record in read_lines(data / "retrieval" / "corpus.jsonl.gz"):
        parent, category = record["tool_name"], record["category"]
        terms = document_terms(record["api_name"], parent, category, record)
        found[record["id"]] = (parent, category, terms)
    for tool in read_lines(data / "rapidapi_toolenv2404" / "tools.jsonl.gz"):
        parent, category = tool["tool"], tool["category"]
        for record in tool["apis"]:
            if record["id"] not in found:
                terms = document_terms(record["name"], parent, category, record)
                found[record["id"]] = (parent, category, terms)
    return list(found.values())


def write_corpus(path: Path, data: Path, size: int, seed: int = 0) -> None:
    """Write ``size`` documents: the real ones first, then copies of real ones drawn with ``seed``."""
    real = read_tools(data)
    draw = random.Random(seed)
    pool = [term for _, _, terms in real for term in terms]
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8") as file:
        for number in range(size):
            parent, category, terms = real[number % len(real)]
            copy = number // len(real)
            if copy:
                parent = f"{parent} {copy}"
                terms = [draw.choice(pool) if draw.random() < CHANGED else term for term in terms]
            clean = (" ".join(part.split()) for part in (parent, category))
            print(f"tool{number}", *clean, " ".join(terms), sep="\t", file=file)
    temporary.replace(path)


def read_corpus(path: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield name, parent, category and terms."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            name, parent, category, terms = line.rstrip("\n").split("\t")
            yield name, parent, category, terms.split()


def read_queries(data: Path, count: int, *, stripped: bool, seed: int = 0) -> list[list[str]]:
    """Return the different terms of instructions, shuffled; without stop words if ``stripped``."""
    texts = [record["text"] for record in read_lines(data / "retrieval" / "queries.jsonl.gz")]
    random.Random(seed).shuffle(texts)
    queries = [list(dict.fromkeys(split(text))) for text in texts[:count]]
    if stripped:
        queries = [[term for term in query if term not in STOP_WORDS] for query in queries]
    return queries
