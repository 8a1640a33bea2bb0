"""Writing a catalog file: SQLite, format 1, one row a tool; rows are made and written one by one.

Table ``tools`` has ``position, name, spec`` (JSON), ``binding`` (JSON: how to make the tool again; its
``kind`` names the source) and ``hash`` (of its content). Table ``about`` has ``format``, ``name``, ``hash``
(of all tools; left out once single tools were changed) and ``report``. Table ``kept`` has the different
values at those places of the bindings that settings are held against, and how many tools have each. Table
``versions`` has the versions that the content had, the newest last, and ``changes`` the names of the tools
that were changed on the way to each; both are cut at the old end. Files of earlier versions of Toolhaft lack
the last two tables, and some the hashes.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from toolhaft.errors import UsageError
from toolhaft.tools.catalog_database import connect
from toolhaft.tools.catalog_hash import Chain, hash_catalog, hash_tool
from toolhaft.types import FORMAT, to_json

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

COLLECTED = ("$.kind", "$.wire.security", "$.wire.secret_parameters")
"""Places in bindings whose different values have a table of their own."""
KEPT = "CREATE TABLE kept (path TEXT NOT NULL, value, count INTEGER NOT NULL);"
LOG = """
CREATE TABLE versions (number INTEGER PRIMARY KEY, version TEXT NOT NULL);
CREATE TABLE changes (number INTEGER NOT NULL, name TEXT NOT NULL);
CREATE INDEX changed ON changes (number);
"""
_CACHE = 64_000
"""Kilobytes of the file that are held while it is written."""
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tools (position INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
                    spec TEXT NOT NULL, binding TEXT NOT NULL, hash TEXT NOT NULL);
"""


class Row(NamedTuple):
    """A tool as a file keeps it, but for its position."""

    name: str
    spec: str
    binding: str
    hash: str


def save_catalog(catalog: Catalog, path: Path | str) -> None:
    """Write a catalog; the file appears whole or not at all.

    Raises:
        UsageError: A tool cannot be kept, or the file cannot be written.
    """
    tools = (catalog[name] for name in catalog)
    write_catalog(path, tools, name=catalog.name, report=catalog.report)


def write_catalog(path: Path | str, tools: Iterable[Tool], *, name: str = "", report: Any = None) -> None:
    """Write tools to a catalog file, each as it comes, so that there may be any number of them.

    Args:
        path: The file; it appears whole or not at all.
        tools: They are read once.
        name: What a person calls the catalog.
        report: How the import went: JSON, or what has ``to_dict``.

    Raises:
        UsageError: A tool cannot be kept, two have one name, or the file cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    chain = Chain()
    seen = ""

    def rows() -> Iterator[tuple[int, str, str, str, str]]:
        nonlocal seen
        for position, tool in enumerate(tools):
            row = row_of(tool)
            chain.add(seen, row.name, row.hash)
            seen = row.name
            yield position, *row

    try:
        with closing(sqlite3.connect(temporary)) as file, file:
            file.execute(
                f"PRAGMA cache_size = -{_CACHE}"
            )  # names come in any order, and their index is large
            file.executescript(f"{_TABLES} {KEPT} {LOG}")
            file.executemany("INSERT INTO tools VALUES (?, ?, ?, ?, ?)", rows())
            collect_kept(file)
            sorted_hashes = file.execute("SELECT name, hash FROM tools ORDER BY name")
            about = {**facts(name, report), "hash": hash_catalog(sorted_hashes)}
            file.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            file.execute("INSERT INTO versions VALUES (0, ?)", (chain.version,))
        put_in_place(temporary, target)
    except sqlite3.IntegrityError:
        raise UsageError(f"two tools are named {seen!r}", where=str(target), hint="Rename one") from None
    except (sqlite3.Error, OSError) as error:
        raise UsageError(f"cannot write: {error}", where=str(target), hint="Check the folder") from None
    finally:
        temporary.unlink(missing_ok=True)


def put_in_place(new: Path, target: Path) -> None:
    """Put a new file in the place of a catalog file, once nobody is changing that one.

    What a change that was cut off left beside the old file would be taken for the new one's.

    Raises:
        UsageError: Somebody changes it and does not come to an end.
        OSError: The file cannot be moved there.
    """
    left = target.with_name(f"{target.name}-journal")
    if not target.is_file():
        left.unlink(missing_ok=True)
        new.replace(target)
        return
    with closing(connect(target, "rw")) as old:
        try:
            old.execute("BEGIN IMMEDIATE")  # waits for others, and undoes what was cut off
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                what = "another process is changing the catalog"
                raise UsageError(what, where=str(target), hint="Try again when it is done") from None
            left.unlink(missing_ok=True)  # no catalog, or one that may not be changed
        new.replace(target)


def row_of(tool: Tool) -> Row:
    """Return a tool as a file keeps it.

    Raises:
        UsageError: It cannot be kept.
    """
    spec, binding = tool.spec, tool.binding()
    if binding is None:
        raise UsageError(
            f"the tool {spec.name!r} cannot be kept in a file",
            hint="Python functions cannot: leave them out with catalog.filter(...)",
        )
    return Row(spec.name, to_json(spec).decode(), json.dumps(binding), hash_tool(spec, binding).whole)


def facts(name: str, report: Any) -> dict[str, str]:
    """Return what a file keeps of a catalog beside its tools."""
    if report is not None and hasattr(report, "to_dict"):
        report = report.to_dict()
    kept = json.dumps(report) if report is not None else ""
    return {"format": str(FORMAT), "name": name, "report": kept}


def collect_kept(file: sqlite3.Connection) -> None:
    """Fill the empty table ``kept`` by reading every binding once."""
    paths = [(place, path) for place in COLLECTED for path in paths_of(place)]
    columns = ", ".join(f"json_extract(binding, '{path}')" for _, path in paths)
    counted: Counter[tuple[str, Any]] = Counter()
    for row in file.execute(f"SELECT {columns} FROM tools WHERE json_valid(binding)"):
        found = zip(paths, row, strict=True)
        counted.update((place, value) for (place, _), value in found if value is not None)
    rows = ((place, value, count) for (place, value), count in counted.items())
    file.executemany("INSERT INTO kept VALUES (?, ?, ?)", rows)


def paths_of(path: str) -> tuple[str, str]:
    """Return a JSON path in a binding, and the same in that of a tool inside the tool."""
    return path, f"$.inner{path[1:]}"
