"""From a folder to a model in memory: weights as safetensors, no code of the folder, no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from toolhaft.errors import ConfigError, ModelError, ToolhaftError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_local.folder import ModelFolder
from toolhaft_local.holdings import check_fits, count_weights
from toolhaft_local.layout import find_turn_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model in memory.

    Attributes:
        model: A transformers model in evaluation mode.
        tokenizer: Its fast tokenizer.
        context: The longest text it reads, in tokens; 0 if unknown.
        ends: Tokens that end an answer.
        control: Content of the tokens that stand outside ordinary text, by id.
        special: Those of them that are never shown.
    """

    model: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    context: int
    ends: frozenset[int]
    control: dict[int, str] = field(repr=False)
    special: frozenset[int] = field(repr=False)


def load(folder: ModelFolder, *, device: str, dtype: str) -> Loaded:
    """Read tokenizer and weights; takes seconds to minutes.

    Raises:
        ModelError: transformers cannot make a model of the folder's files.
        ConfigError: torch or transformers is missing, or the device is not there.
    """
    loading = call_alone(partial(_load, folder, device=device, dtype=dtype))
    error = loading.error
    if error is None:
        loaded: Loaded = loading.value
        return loaded
    if isinstance(error, ToolhaftError) or not isinstance(error, Exception):
        raise error
    if isinstance(error, ModuleNotFoundError):
        raise ConfigError(
            f"the module {error.name!r} is not installed",
            hint="pip install 'toolhaft-local[torch]', or torch and transformers by hand",
        ) from None
    raise ModelError(
        f"the model cannot be loaded: {clean(' '.join(str(error).split()), 300) or type(error).__name__}",
        where=str(folder.path),
        hint="Its files may be damaged, or newer than the installed transformers",
    ) from None


def _load(folder: ModelFolder, *, device: str, dtype: str) -> Loaded:
    held = count_weights(folder.files)
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _check_device(torch, device)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(str(folder.path), use_fast=True, local_files_only=True)
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError("the folder has no fast tokenizer", where=str(folder.path))
    with quiet():
        check_fits(folder, held, transformers)
        model, report = AutoModelForCausalLM.from_pretrained(
            str(folder.path),
            use_safetensors=True,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are told of here, and not on the terminal
            local_files_only=True,
        )
    if mismatched := sorted(report.get("mismatched_keys") or ()):
        name, *shapes = mismatched[0]
        sizes = " and ".join(str(tuple(shape)) for shape in shapes)
        raise ModelError(
            f"the model cannot be loaded: {len(mismatched)} weights are of another size than its "
            f"configuration says, {name} among them: {sizes}",
            where=str(folder.path),
            hint="Download the folder anew",
        )
    missing = sorted(report.get("missing_keys") or ())
    if missing:
        raise ModelError(
            f"{len(missing)} weights are missing, {missing[0]} among them; they would be random",
            where=str(folder.path),
            hint="Download the folder anew",
        )
    model.eval()
    model.to(device)
    added = {number: str(token.content) for number, token in tokenizer.added_tokens_decoder.items()}
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        context=folder.context,
        ends=_ends(model, tokenizer) | find_turn_end(tokenizer),
        control=added,
        special=frozenset(
            number for number, token in tokenizer.added_tokens_decoder.items() if token.special
        ),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and warnings of transformers off the terminal for a while."""
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


def _check_device(torch: Any, device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ConfigError(f"there is no device {device!r}", hint="Use cpu, cuda, cuda:1 or mps") from None
    present = {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }.get(kind)
    if present is None or not present():
        raise ConfigError(f"the device {device!r} is not there", hint="Use device='cpu'")


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    found: set[int] = set()
    for source in (getattr(model, "generation_config", None), model.config, tokenizer):
        value = getattr(source, "eos_token_id", None)
        for number in value if isinstance(value, list | tuple) else [value]:
            if isinstance(number, int) and not isinstance(number, bool):
                found.add(number)
    return frozenset(found)
