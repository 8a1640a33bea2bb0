"""Settings of the retriever, checked before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from toolhaft.errors import ConfigError
from toolhaft_dense.encoder import Runtime
from toolhaft_dense.onnx_matrices import Precision

Search = Literal["auto", "exact", "approximate"]


def check_settings(
    model: Any, runtime: Any, precision: Any, search: Any, batch_tokens: Any, threads: Any, sentences: Any
) -> None:
    """Raise `ConfigError` where a setting makes no sense."""
    _check_whole("batch_tokens", batch_tokens, 1_000_000)
    if threads is not None:
        _check_whole("threads", threads, 1_024)
    for name, value, kind in (
        ("runtime", runtime, Runtime),
        ("precision", precision, Precision),
        ("search", search, Search),
    ):
        if value not in get_args(kind):
            raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use one of {', '.join(get_args(kind))}")
    if not isinstance(sentences, bool):
        raise ConfigError(f"sentences is {repr(sentences)[:60]}", hint="Use true or false")
    if model is not None and not isinstance(model, str | Path):
        raise ConfigError(f"model is {repr(model)[:60]}", hint="Name a folder, or leave it out")


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


def _check_whole(name: str, value: Any, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ConfigError(f"{name} is {repr(value)[:60]}", hint=f"Use a whole number from 1 to {most:,}")
