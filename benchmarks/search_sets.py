"""Sets of queries with the tools that answer them, for every measurement of tool search.

python benchmarks/search_sets.py [--role development|test]    lists them with their sizes

A set is a catalog and queries, each query with the names of the tools that answer it. Choices (weights,
rules, defaults) are made on sets of the role ``development`` alone; those of the role ``test`` are for final
figures. Data lies under ``TOOLHAFT_SHARED``; a set whose data is absent is skipped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator

from search_set_base import Query, Role, SearchSet, read_rows, read_text
from search_sets_cards import apibench, metatool_multi, metatool_single
from search_sets_rapidapi import (
    anytool_apis,
    anytool_tools,
    corpus_records,
    crawl_records,
    toolbench,
    tooleval,
)
from search_sets_services import bfcl, restgpt, services, toolalpaca, world

__all__ = [
    "SETS",
    "Query",
    "SearchSet",
    "corpus_records",
    "crawl_records",
    "load_set",
    "load_sets",
    "read_rows",
    "read_text",
]


def load_set(name: str) -> SearchSet:
    """Return a set by name.

    Raises:
        FileNotFoundError: Its data is not on this machine.
        KeyError: There is no such set.
    """
    return SETS[name][1](name)


def load_sets(role: Role | None = None, names: Iterable[str] = ()) -> Iterator[SearchSet]:
    """Yield the sets whose data is here, of a role or of these names, one at a time."""
    for name in tuple(names) or SETS:
        if role is None or SETS[name][0] == role:
            try:
                yield load_set(name)
            except FileNotFoundError as error:
                print(f"skipped: {name}: no {error.filename}")


SETS: dict[str, tuple[Role, Callable[[str], SearchSet]]] = {
    "tooleval": ("development", tooleval),
    "tooleval-small": ("development", tooleval),
    "anytool": ("development", anytool_apis),
    "anytool-small": ("development", anytool_apis),
    "anytool-tools": ("development", anytool_tools),
    "world": ("development", world),
    "toolalpaca": ("development", toolalpaca),
    "restgpt": ("development", restgpt),
    "bfcl": ("development", bfcl),
    "apibench-torchhub-train": ("development", apibench),
    "services": ("development", services),
    "toolbench": ("test", toolbench),
    "toolbench-22k": ("test", toolbench),
    "apibench-torchhub": ("test", apibench),
    "apibench-torchhub-compact": ("test", apibench),
    "apibench-torchhub-row": ("test", apibench),
    "apibench-huggingface": ("test", apibench),
    "apibench-huggingface-compact": ("test", apibench),
    "apibench-huggingface-row": ("test", apibench),
    "metatool": ("test", metatool_single),
    "metatool-all": ("test", metatool_single),
    "metatool-multi": ("test", metatool_multi),
}
"""Name -> role, and what loads it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--role", choices=("development", "test"))
    chosen = parser.parse_args()
    for each in load_sets(chosen.role):
        gold = sum(len(query.gold) for query in each.queries) / len(each.queries)
        words = sorted(len(query.text.split()) for query in each.queries)[len(each.queries) // 2]
        print(
            f"{each.name:28} {each.role:12} {len(each.specs):6} tools {len(each.queries):6} queries"
            f"  {gold:.2f} gold, {words} words  {each.note}"
        )


if __name__ == "__main__":
    main()
