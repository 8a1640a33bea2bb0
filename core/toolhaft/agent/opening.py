"""Catalogs and models opened by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ToolhaftError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.curation.rules import Curation
    from toolhaft.hooks.registry import Registry
    from toolhaft.models.base import Model
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.catalog_lock import Lock
    from toolhaft.tools.source import ToolSource


def open_catalog(
    location: Any,
    *,
    auth: Mapping[str, Any] | None = None,
    allow_hosts: str | Sequence[str] = (),
    curation: Curation | Path | str | Mapping[str, Any] | None = None,
    lock: str | Path | Lock | bool | None = None,
    registry: Registry | None = None,
    **settings: Any,
) -> Catalog:
    """Do what `load_catalog` does from code that is not async, notebooks included."""
    from toolhaft.tools.loop import run_sync

    options: dict[str, Any] = {"allow_hosts": allow_hosts, "curation": curation, "lock": lock, **settings}
    return run_sync(load_catalog(location, auth=auth, registry=registry, **options))


async def load_catalog(
    location: Any,
    *,
    auth: Mapping[str, Any] | None = None,
    allow_hosts: str | Sequence[str] = (),
    curation: Curation | Path | str | Mapping[str, Any] | None = None,
    lock: str | Path | Lock | bool | None = None,
    registry: Registry | None = None,
    **settings: Any,
) -> Catalog:
    """Open a catalog of tools.

    Args:
        location: ``scheme:rest`` as in ``openapi:petstore.yaml``; a path that ends in ``.catalog``,
            ``.json``, ``.yaml`` or ``.py``; an ``https`` URL of an OpenAPI document; or a parsed document.
            Behind ``scheme:path``, settings of the source may stand: ``rapidapi:tools/?virtual&seed=7``.
        auth: Security scheme -> secret reference, for example ``{"api_key": "env:PETSTORE_KEY"}``, or what
            gets a token: ``{"login.client_id": "me", "login.client_secret": "env:SECRET"}``; see
            `toolhaft.auth.entries.Entries`.
        allow_hosts: Loopback and private hosts that the tools may speak to, one or several.
        curation: What the owner says of the tools: a file, or what it would hold; see
            `toolhaft.curation.applying.curate`.
        lock: What was approved: a lock, or its file. A tool that is something else now is refused until it
            is approved again (`toolhaft.tools.catalog_lock`). None takes ``NAME.lock.json`` beside the file,
            if there is one; False takes none.
        registry: Where the scheme is looked up.
        **settings: More settings of the source; they go before those in the location.

    Raises:
        UnknownNameError: No plugin brings this scheme.
        SpecError: The document cannot be read.
        UsageError: There is nothing at the location, or the source does not take a setting.
    """
    from toolhaft.agent.written_location import split_settings
    from toolhaft.hooks.registry import Registry

    registry = registry or Registry.default()
    scheme, rest = split_location(location)
    rest, written = split_settings(scheme, rest, registry)
    settings = {**written, **settings}
    if auth:
        settings["auth"] = dict(auth)
    if allow_hosts:
        settings["allow_hosts"] = (allow_hosts,) if isinstance(allow_hosts, str) else tuple(allow_hosts)
    if scheme == "catalog":
        source = registry.source("catalog", source=_sources(registry, settings), check=bool(auth))
    else:
        source = registry.source(scheme, **settings)
    approved = _find_lock(lock, scheme, rest)
    catalog = await source.load(rest)
    try:
        return _prepared(catalog, curation, approved, settings)
    except ToolhaftError:
        await catalog.close()
        raise


def _prepared(catalog: Catalog, curation: Any, approved: Lock | None, settings: Mapping[str, Any]) -> Catalog:
    """Return a catalog as its owner's curation leaves it, and with what changed since it was approved."""
    if curation is not None:
        from toolhaft.curation.applying import curate

        catalog = curate(catalog, curation)
    if approved is not None:
        from toolhaft.tools.catalog_lock import apply_lock

        chosen = ("hosts",) if settings.get("server") else ()
        catalog = apply_lock(catalog, approved, chosen=chosen)
    return catalog


def _sources(registry: Registry, settings: Mapping[str, Any]) -> Callable[[str], ToolSource]:
    """Return what gives the sources of a catalog file's tools; a curated tool's is around another's."""

    def source(kind: str) -> ToolSource:
        if kind == "curated":
            return registry.source(kind, source=source)
        return registry.source(kind, **settings)

    return source


def _find_lock(lock: str | Path | Lock | bool | None, scheme: str, rest: Any) -> Lock | None:
    """Return the lock to open a catalog with, if any.

    Raises:
        UsageError: The one that was asked for is not there.
        FormatError: It is damaged.
    """
    from pathlib import Path

    if lock is False or (lock is None and scheme not in ("catalog", "openapi")):
        return None
    if lock is None or lock is True:
        from toolhaft.tools.catalog_lock import lock_beside, read_lock

        beside = lock_beside(rest) if isinstance(rest, str | Path) and "://" not in str(rest) else None
        if beside is not None and (lock or beside.is_file()):
            return read_lock(beside)
        if lock:
            raise UsageError(
                "no lock can lie beside it", where=f"{rest!s:.200}", hint="Name its file: lock=FILE"
            )
        return None
    if isinstance(lock, str | Path):
        from toolhaft.tools.catalog_lock import read_lock

        return read_lock(lock)
    return lock


def open_model(
    reference: str,
    *,
    registry: Registry | None = None,
    secrets: SecretStore | None = None,
    warn: Callable[[str], None] | None = None,
    **settings: Any,
) -> Model:
    """Find a model by its name, as ``Agent(model=...)`` and ``--model`` do.

    Args:
        reference: Its name.
        registry: Where names are looked up.
        secrets: Resolves its key, and keeps it out of what is shown.
        warn: Takes the one-line notice that no language model is configured.
        **settings: More settings of the model, for example ``api_key="env:MY_KEY"``.

    Raises:
        UnknownNameError: No plugin brings it.
        ConfigError: Its key is not set.
    """
    from toolhaft.hooks.registry import Registry
    from toolhaft.models.resolve import resolve
    from toolhaft.settings import load_settings

    registry = registry or Registry.default()
    model = resolve(reference, partial(registry.model, **settings), load_settings(), warn or _to_stderr)
    model.attach(secrets=secrets)
    return model


def split_location(location: Any) -> tuple[str, Any]:
    """Return the scheme and what stands behind it; a bare path or URL is told by its ending.

    Raises:
        UsageError: Nothing says what it is.
    """
    if isinstance(location, Mapping):
        return "openapi", location
    text = str(location)
    scheme, colon, rest = text.partition(":")
    if colon and scheme.replace("-", "").isalnum() and scheme not in ("http", "https") and len(scheme) > 1:
        return scheme, rest
    if text.endswith(".catalog"):
        return "catalog", text
    if text.removesuffix(".gz").endswith((".json", ".yaml", ".yml")) or scheme in ("http", "https"):
        return "openapi", text
    if text.endswith(".py"):
        return "python", text
    raise UsageError(
        f"{text[:200]!r} does not say what kind of tools it holds",
        hint="Write the scheme before it, as in openapi:petstore.yaml, or name a .catalog file",
    )


def _to_stderr(line: str) -> None:
    import sys

    sys.stderr.write(f"{line}\n")
