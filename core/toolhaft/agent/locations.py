"""Several catalogs opened with one set of options, each taking those that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.agent.opening import load_catalog
from toolhaft.errors import ToolhaftError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog


async def load_catalogs(
    locations: Sequence[str], auth: Mapping[str, str], allow_hosts: Sequence[str], **settings: Any
) -> list[Catalog]:
    """Open catalogs; of several, each takes the options that fit it.

    Args:
        locations: See `toolhaft.agent.opening.load_catalog`.
        auth: Security scheme -> secret reference.
        allow_hosts: Loopback and private hosts that the tools may speak to.
        **settings: More settings of the sources, and ``lock``.

    Raises:
        UsageError: An option fits none of them.
    """
    unused: dict[str, ToolhaftError] = {}
    used: set[str] = set()
    catalogs = []
    for location in locations:
        options: dict[str, Any] = {f"auth {name}": value for name, value in auth.items()}
        if allow_hosts:
            options["allow_hosts"] = tuple(allow_hosts)
        options |= settings
        catalogs.append(await _open(location, options, unused))
        used |= set(options)
    for name, error in unused.items():
        if name not in used:
            raise error
    return catalogs


async def _open(location: str, options: dict[str, Any], unused: dict[str, ToolhaftError]) -> Catalog:
    """Open one catalog; options that it refuses are taken out of ``options`` and noted with the error."""
    while True:
        auth = {name[5:]: value for name, value in options.items() if name.startswith("auth ")}
        rest = {name: value for name, value in options.items() if not name.startswith("auth ")}
        try:
            return await load_catalog(location, auth=auth or None, **rest)
        except UsageError as error:
            refused = _refused(error, options)
            if not refused:
                raise
            for name in refused:
                del options[name]
                unused.setdefault(name, error)


def _refused(error: UsageError, options: dict[str, Any]) -> list[str]:
    """Return the options that an error is about."""
    if isinstance(error, UnknownNameError):
        name = f"auth {error.name}"
        return [name] if error.kind == "security scheme" and name in options else []
    accepted = error.details.get("accepted")
    if accepted is None or error.details.get("missing"):
        return []
    return [name for name in options if name.split()[0] not in accepted]
