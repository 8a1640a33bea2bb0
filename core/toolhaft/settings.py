"""Settings from the environment and from TOML files: the only place that reads either."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says.

    Attributes:
        model: ``TOOLHAFT_MODEL``: the model that ``auto`` stands for.
        openai_base_url: ``OPENAI_BASE_URL``.
        has_openai_key: Whether ``OPENAI_API_KEY`` is set; its value is read only when it is sent.
        disabled_plugins: ``TOOLHAFT_DISABLE_PLUGINS``, comma-separated, and what `toolhaft plugins
            disable` stored.
        data_dir: ``TOOLHAFT_HOME``, else the platform's folder for user data.
        http_library: ``TOOLHAFT_HTTP_LIBRARY``: ``httpx`` or ``httpx2``.
        specs_dir: ``TOOLHAFT_TOOL_SPECS``: replaces the bundled tool specs.
    """

    model: str = ""
    openai_base_url: str = ""
    has_openai_key: bool = False
    disabled_plugins: tuple[str, ...] = ()
    data_dir: Path = Path()
    http_library: str = "httpx"
    specs_dir: Path | None = None


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        environment: Variables to read instead of the process's own.

    Raises:
        ConfigError: A value makes no sense.
    """
    variables = os.environ if environment is None else environment
    library = variables.get("TOOLHAFT_HTTP_LIBRARY") or "httpx"
    if library not in ("httpx", "httpx2"):
        raise ConfigError(f"TOOLHAFT_HTTP_LIBRARY is {library!r}", hint="It must be 'httpx' or 'httpx2'")
    data_dir = _data_dir(variables)
    specs = variables.get("TOOLHAFT_TOOL_SPECS")
    return Settings(
        model=variables.get("TOOLHAFT_MODEL", ""),
        openai_base_url=variables.get("OPENAI_BASE_URL", ""),
        has_openai_key=bool(variables.get("OPENAI_API_KEY")),
        disabled_plugins=_disabled(variables, data_dir),
        data_dir=data_dir,
        http_library=library,
        specs_dir=Path(specs) if specs else None,
    )


def bundled_specs(settings: Settings | None = None) -> Path:
    """Return the folder of bundled tool specs: the one set, the installed one, or the repository's.

    Args:
        settings: Where ``specs_dir`` is taken from; None reads the environment.

    Raises:
        ConfigError: There is no such folder.
    """
    chosen = (load_settings() if settings is None else settings).specs_dir
    package = Path(__file__).resolve().parent
    candidates = [chosen] if chosen else [package / "tool_specs", package.parents[1] / "tool_specs"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise ConfigError(
        "the bundled tool specs are missing",
        where=" or ".join(str(folder) for folder in candidates),
        hint="Set TOOLHAFT_TOOL_SPECS to their folder, or install toolhaft again",
    )


def environment_secret(name: str) -> str | None:
    """Return the value of an environment variable that a secret reference names."""
    return os.environ.get(name) or None


def store_disabled_plugins(names: tuple[str, ...], data_dir: Path) -> None:
    """Keep the names of plugins that are switched off."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "disabled-plugins").write_text("".join(f"{name}\n" for name in sorted(set(names))))


def stored_disabled_plugins(data_dir: Path) -> tuple[str, ...]:
    """Return the names that `store_disabled_plugins` kept."""
    try:
        return tuple((data_dir / "disabled-plugins").read_text().split())
    except FileNotFoundError:
        return ()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: It is missing or malformed; the message has file and line.
    """
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", where=str(path)) from None


def _disabled(variables: Mapping[str, str], data_dir: Path) -> tuple[str, ...]:
    named = variables.get("TOOLHAFT_DISABLE_PLUGINS", "").replace(",", " ").split()
    return tuple(dict.fromkeys([*named, *stored_disabled_plugins(data_dir)]))


def _data_dir(variables: Mapping[str, str]) -> Path:
    home = variables.get("TOOLHAFT_HOME")
    return Path(home) if home else _platform_data_dir()


@cache
def _platform_data_dir() -> Path:
    import platformdirs

    return platformdirs.user_data_path("toolhaft", appauthor=False)
