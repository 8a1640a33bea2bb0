"""What a world consists of: the files of a folder, the package's own by default."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, FormatError, UnknownNameError
from toolhaft.settings import load_settings
from toolhaft.world.place import Place

_WORLD = "world.yaml"
_WORLD_KEYS = ("title", "services")
_MOST_BYTES = 4_000_000
_MOST_SERVICES = 200
_LONGEST_TITLE = 200


def specs_folder() -> Path:
    """Return the folder ``world`` of the bundled tool specs.

    Raises:
        ConfigError: It is not there.
    """
    named = load_settings().specs_dir
    package = Path(__file__).resolve().parent.parent
    # An installed package holds the specs; a checkout has them beside the package's source.
    for folder in [named] if named else [package / "tool_specs", package.parent.parent / "tool_specs"]:
        if (folder / "world").is_dir():
            return folder / "world"
    raise ConfigError(
        "the bundled tool specs are missing",
        where=str(named or package),
        hint="Reinstall toolhaft, or point TOOLHAFT_TOOL_SPECS to the folder tool_specs",
    )


def world_folder(folder: Path | str | None = None) -> Path:
    """Return a world's folder.

    Args:
        folder: None is the bundled one.

    Raises:
        ConfigError: There is no such folder, or no document in it.
    """
    if folder is None:
        return specs_folder()
    found = Path(folder)
    if not found.is_dir():
        raise ConfigError(
            "there is no such folder",
            where=str(found),
            hint="Name the folder of a world, or leave it out for the bundled one",
        )
    return found


def service_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the services of a world: those that ``world.yaml`` names, or all that have a document.

    Raises:
        ConfigError: There are none, or too many.
        FormatError: ``world.yaml`` is malformed.
        UnknownNameError: It names a service without a document.
    """
    folder = world_folder(folder)
    present = documented_services(folder)
    file, value = folder / _WORLD, _about(folder)
    listed = value.get("services", list(present))
    if not isinstance(listed, list) or not listed:
        raise FormatError("not a list of services", where=f"{file}#/services")
    for position, name in enumerate(listed):
        if name not in present:
            raise UnknownNameError("service", str(name)[:80], present, where=f"{file}#/services/{position}")
    return tuple(dict.fromkeys(listed))


def world_title(folder: Path | None = None) -> str:
    """Return what a world calls itself in ``world.yaml``, or the name of its folder.

    Raises:
        FormatError: ``world.yaml`` is malformed.
    """
    folder = world_folder(folder)
    title = _about(folder).get("title")
    if title is None:
        return f"The world {folder.resolve().name}"
    return " ".join((Place(str(folder / _WORLD)) / "title").text(title)[:_LONGEST_TITLE].split())


def _about(folder: Path) -> dict[str, Any]:
    """Return what ``world.yaml`` says; nothing without the file."""
    file = folder / _WORLD
    return Place(str(file)).mapping(read_file(file), _WORLD_KEYS) if file.is_file() else {}


def documented_services(folder: Path | None = None) -> tuple[str, ...]:
    """Return the services that have a document, by name.

    Raises:
        ConfigError: There are none, or too many.
    """
    folder = world_folder(folder)
    found = sorted(file.stem for file in folder.glob("*.yaml") if file.name != _WORLD)
    if not found or len(found) > _MOST_SERVICES:
        raise ConfigError(
            f"{len(found)} OpenAPI documents are in the folder",
            where=str(folder),
            hint=f"A world has 1 to {_MOST_SERVICES} services, NAME.yaml each",
        )
    return tuple(found)


def document_path(service: str, folder: Path | None = None) -> Path:
    """Return where a service's OpenAPI document lies."""
    return world_folder(folder) / f"{service}.yaml"


def read_document(service: str, *, server: str = "", folder: Path | None = None) -> dict[str, Any]:
    """Return a service's OpenAPI document.

    Args:
        service: One of `service_names`.
        server: Base URL to put in place of the document's own.
        folder: The world's folder; None is the bundled one.
    """
    found: dict[str, Any] = copy.deepcopy(read_file(document_path(service, folder)))
    if server:
        found["servers"] = [{"url": server}]
    return found


def read_data(service: str, folder: Path | None = None) -> Any:
    """Return a service's fixed data, None without a file; it is shared, not to be changed."""
    file = data_path(service, folder)
    return read_file(file) if file.is_file() else None


def data_path(service: str, folder: Path | None = None) -> Path:
    """Return where a service's data lies."""
    return world_folder(folder) / "data" / f"{service}.yaml"


def rules_path(service: str, folder: Path | None = None) -> Path:
    """Return where a service's rules lie."""
    return world_folder(folder) / "rules" / f"{service}.yaml"


def file_stamp(path: Path) -> tuple[int, int]:
    """Return what tells a file from the one that it was before: time and size, zero if there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def read_file(path: Path) -> Any:
    """Return the value of a YAML or JSON file; it is shared, not to be changed.

    Raises:
        ConfigError: It cannot be read, or is too large.
        SpecError: It is not YAML.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if status.st_size > _MOST_BYTES:
        raise ConfigError(f"larger than {_MOST_BYTES} bytes", where=str(path))
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int, _size: int) -> Any:
    """Read a file; what is kept belongs to the file as it was at that time."""
    from toolhaft.openapi.documents.document import Limits
    from toolhaft.openapi.documents.yaml12 import read_yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from None
    limits = Limits(max_bytes=_MOST_BYTES, depth=60, nodes=400_000, seconds=20)
    return read_yaml(text, limits, str(path)).value
