"""Settings of what this plugin registers, checked before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from toolhaft.errors import ConfigError
from toolhaft_dense.encoder import Runtime
from toolhaft_dense.onnx_matrices import Precision

Search = Literal["auto", "exact", "approximate"]


def check_encoding(*, model: Any, runtime: Any, precision: Any, threads: Any, batch_tokens: Any = 1) -> None:
    """Raise `ConfigError` where a setting of what encodes makes no sense."""
    check_number("batch_tokens", batch_tokens, 1, 1_000_000)
    if threads is not None:
        check_number("threads", threads, 1, 1_024)
    check_choice("runtime", runtime, Runtime)
    check_choice("precision", precision, Precision)
    if model is not None and not isinstance(model, str | Path):
        raise ConfigError(f"model is {repr(model)[:60]}", hint="Name a folder, or leave it out")


def check_searching(*, search: Any, sentences: Any) -> None:
    """Raise `ConfigError` where a setting of what searches makes no sense."""
    check_choice("search", search, Search)
    if not isinstance(sentences, bool):
        raise ConfigError(f"sentences is {repr(sentences)[:60]}", hint="Use true or false")


def find_folder(folder: Any) -> Path | None:
    """Return where vectors are kept by their texts, or None for nowhere.

    Raises:
        ConfigError: It can be no folder.
    """
    if folder is False:
        return None
    if folder is None:
        from toolhaft.settings import load_settings

        return load_settings().data_dir / "cache" / "dense"
    if not isinstance(folder, str | Path) or not str(folder).strip() or "\0" in str(folder):
        raise ConfigError(f"folder is {repr(folder)[:60]}", hint="Name a folder, or False to keep nothing")
    try:
        path = Path(folder).expanduser().absolute()
        if path.exists() and not path.is_dir():
            raise ConfigError("the folder of kept vectors is a file", where=str(path), hint="Name another")
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"the folder cannot be used: {error}", where=str(folder)[:200]) from None
    return path


def check_choice(name: str, value: Any, kind: Any) -> None:
    """Raise `ConfigError` unless a value is one of a ``Literal``."""
    if value not in get_args(kind):
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use one of {', '.join(get_args(kind))}")


def check_number(name: str, value: Any, least: float, most: float, *, whole: bool = True) -> None:
    """Raise `ConfigError` unless a value is a number of a range, a whole one where that is wanted."""
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not least <= value <= most:
        wanted = "whole number" if whole else "number"
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use a {wanted} from {least:g} to {most:,}")
