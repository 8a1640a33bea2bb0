"""The documents, data and tasks that the package brings along."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.settings import load_settings

SERVICES = ("weather", "travel", "shop", "calendar")


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


def document_path(service: str) -> Path:
    """Return where a service's OpenAPI document lies."""
    return specs_folder() / f"{service}.yaml"


def read_document(service: str, *, server: str = "") -> dict[str, Any]:
    """Return a service's OpenAPI document.

    Args:
        service: One of `SERVICES`.
        server: Base URL to put in place of the document's own.
    """
    found: dict[str, Any] = copy.deepcopy(_read(document_path(service)))
    if server:
        found["servers"] = [{"url": server}]
    return found


def read_data(service: str) -> dict[str, Any]:
    """Return a service's fixed data; it is shared, not to be changed."""
    found: dict[str, Any] = _read(specs_folder() / "data" / f"{service}.yaml")
    return found


def read_file(path: Path) -> Any:
    """Return the value of a YAML or JSON file.

    Raises:
        ConfigError: It cannot be read.
        SpecError: It is not YAML.
    """
    from toolhaft.openapi.document import Limits
    from toolhaft.openapi.yaml12 import read_yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from None
    return read_yaml(text, Limits(), str(path)).value


_read = cache(read_file)
