"""Catalogs named on the command line, and the options that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.inputs import pairs

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog
    from toolhaft.types import ToolSpec

Location = Annotated[
    str,
    typer.Argument(
        help="FILE or URL of an OpenAPI document, a .catalog file, python:MODULE, or what plugins bring."
    ),
]
Auth = Annotated[
    list[str] | None, typer.Option(help="Security scheme and secret: --auth api_key=env:PETSTORE_KEY.")
]
AllowHost = Annotated[
    list[str] | None, typer.Option(help="A loopback or private host that tools may speak to.")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Curated = Annotated[
    Path | None,
    typer.Option("--curate", help="Rules of the owner: names, texts, hidden and fixed arguments."),
]
LockFile = Annotated[
    Path | None, typer.Option("--lock", help="What was approved; NAME.lock.json beside the file is found.")
]
Prefix = Annotated[str, typer.Option(help="Put this before every name, as in shop_.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only tools of this tag, * allowed.")]
Methods = Annotated[list[str] | None, typer.Option("--method", help="Only tools of this HTTP method.")]
Paths = Annotated[list[str] | None, typer.Option("--path", help="Only tools of this path, * allowed.")]
Operations = Annotated[
    list[str] | None, typer.Option("--operation", help="Only this operationId or tool name, * allowed.")
]

Chosen = Annotated[
    int | None,
    typer.Option("-k", help="How many tools the model is offered; by default 8, or all of a few.", min=1),
]
FindTools = Annotated[
    bool, typer.Option("--find-tools", help="Give the model a tool that searches for more tools.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a catalog is opened; what was approved of it is no matter."""

    curate: Curated = None
    auth: Auth = None
    allow_host: AllowHost = None

    def open(self, location: str, **settings: Any) -> Catalog:
        """Open one catalog; see `open_location`."""
        return open_location(location, self.auth, self.allow_host, **self._settings(), **settings)

    def open_all(self, locations: Sequence[str]) -> list[Catalog]:
        """Open catalogs; see `open_locations`."""
        return open_locations(locations, self.auth, self.allow_host, **self._settings())

    def _settings(self) -> dict[str, Any]:
        return {"curation": self.curate, "lock": getattr(self, "lock", False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedOpening(Opening):
    """How a catalog is opened whose tools may have been approved."""

    lock: LockFile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which tools of a catalog are meant.

    Several of one option are alternatives; of several options, each has to fit.
    """

    tag: Tags = None
    method: Methods = None
    path: Paths = None
    operation: Operations = None

    def includes(self, spec: ToolSpec) -> bool:
        """Whether a tool is one of them."""
        facts = spec.metadata
        method, path = str(facts.get("method", "")), str(facts.get("path", ""))
        named = [spec.name, str(facts.get("operation_id", ""))]
        return (
            (not self.tag or any(_fits(tag, self.tag) for tag in spec.tags))
            and (not self.method or method.casefold() in [each.casefold() for each in self.method])
            and (not self.path or _fits(path, self.path))
            and (not self.operation or any(_fits(name, self.operation) for name in named))
        )

    def included(self, catalog: Catalog) -> Catalog:
        """Return the catalog with these tools alone."""
        return catalog.filter(self.includes) if self.words() else catalog

    def words(self) -> dict[str, Sequence[str]]:
        """Return what is asked for, as the settings of an OpenAPI source have it."""
        wanted = {
            "tags": self.tag,
            "methods": self.method,
            "paths": self.path,
            "operations": self.operation,
        }
        return {name: words for name, words in wanted.items() if words}


def open_location(
    location: str,
    auth: Sequence[str] | None,
    allow_host: Sequence[str] | None,
    **settings: Any,
) -> Catalog:
    """Open one catalog as the options say; an option that it does not take is an error.

    Args:
        location: See `toolhaft.agent.opening.load_catalog`.
        auth: Words ``scheme=reference``.
        allow_host: Hosts that may be spoken to.
        **settings: More settings of the source, and ``lock``; those that are None or empty are left out.
    """
    return open_locations([location], auth, allow_host, **settings)[0]


def open_locations(
    locations: Sequence[str],
    auth: Sequence[str] | None,
    allow_host: Sequence[str] | None,
    **settings: Any,
) -> list[Catalog]:
    """Open catalogs; of several, each takes the options that fit it.

    Raises:
        UsageError: An option fits none of them.
    """
    from toolhaft.agent.locations import load_catalogs
    from toolhaft.tools.loop import run_sync

    named = pairs(auth or (), "--auth")
    given = {name: value for name, value in settings.items() if value not in (None, "", (), [], {})}
    return run_sync(load_catalogs(locations, named, tuple(allow_host or ()), **given))


def is_document(location: str) -> bool:
    """Whether a location is an OpenAPI document, rather than tools of another kind or a catalog file."""
    from toolhaft.agent.opening import split_location

    return split_location(location)[0] == "openapi"


def earlier_names(path: Path | str, prefix: str = "") -> dict[str, str]:
    """Return ``METHOD /path`` -> name of the tools of an earlier import, so that a new one keeps them.

    Args:
        path: Catalog file; one that is not there, or not from an OpenAPI document, has none.
        prefix: What stands before its names, and will be put there again.
    """
    from toolhaft.errors import ToolhaftError

    if Path(path).suffix != ".catalog" or not Path(path).is_file():
        return {}
    try:
        with open_location(str(path), None, None, lock=False) as catalog:
            found = {}
            for name in catalog:
                spec, binding = catalog.spec(name), catalog[name].binding() or {}
                place = f"{spec.metadata.get('method')} {spec.metadata.get('path')}"
                if binding.get("kind") == "openapi" and name.startswith(prefix):
                    found[place] = name.removeprefix(prefix)
            return found
    except ToolhaftError:  # what stands there is overwritten anyhow
        return {}


def _fits(text: str, patterns: Sequence[str]) -> bool:
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns)
