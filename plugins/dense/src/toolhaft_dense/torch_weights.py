"""Models of transformers opened from a folder: encoders and cross-encoders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from toolhaft.errors import ConfigError, ToolhaftError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_dense.weights import EncoderFolder

Kind = Literal["encoder", "cross-encoder"]
_CLASSES = {"encoder": "AutoModel", "cross-encoder": "AutoModelForSequenceClassification"}


def load_weights(folder: EncoderFolder, kind: Kind = "encoder") -> tuple[Any, Any, str]:
    """Return tokenizer, model (in evaluation mode) and device: ``cuda`` where there is one, or ``cpu``.

    Raises:
        ConfigError: torch or transformers is missing, or the weights are damaged.
    """
    loading = call_alone(_load, folder, kind)
    if loading.error is not None:
        raise _explained(loading.error, folder, kind)
    tokenizer, model, device = loading.value
    return tokenizer, model, str(device)


@contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Let torch compute with so many threads for a while; None leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _load(folder: EncoderFolder, kind: Kind) -> tuple[Any, Any, str]:
    import torch
    import transformers

    with _quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(folder.path), use_fast=True, local_files_only=True
        )
        model, report = getattr(transformers, _CLASSES[kind]).from_pretrained(
            str(folder.path),
            use_safetensors=True,
            local_files_only=True,
            dtype="float32",
            output_loading_info=True,
        )
    # An encoder is served without what pools; a cross-encoder's scores are made of it.
    wanted = (name for name in report.get("missing_keys") or () if kind != "encoder" or "pooler" not in name)
    missing = sorted(wanted)
    if missing:
        raise ConfigError(
            f"{len(missing)} weights are missing, {missing[0]} among them; they would be random",
            where=str(folder.path),
            hint=f"Download the {kind} anew",
        )
    model.eval()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.to(device), device


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the progress bars and the advice of transformers off the terminal for a while."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def _explained(error: BaseException, folder: EncoderFolder, kind: Kind) -> BaseException:
    if isinstance(error, ToolhaftError) or not isinstance(error, Exception):
        return error
    if isinstance(error, ModuleNotFoundError):
        return ConfigError(
            f"the module {error.name!r} is not installed",
            hint="pip install 'toolhaft-dense[torch]', or torch and transformers by hand",
        )
    return ConfigError(
        f"the {kind} cannot be loaded: {clean(' '.join(str(error).split()), 300) or type(error).__name__}",
        where=str(folder.path),
        hint="Its files may be damaged, or newer than the installed transformers",
    )
