"""Model folders: looked at before anything is loaded, so that no code and no pickle in them is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, FormatError, ModelError, UsageError
from toolhaft.report.files import read_at_most

_LARGEST_CONFIG = 10_000_000
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def check_model_folder(folder: Path) -> dict[str, Any]:
    """Look at a folder of a causal language model and return its configuration.

    Raises:
        UsageError: There is no folder, or no model in it.
        FormatError: Its configuration is damaged.
        ModelError: Its weights are no safetensors, or it wants code of its own run.
    """
    if not folder.is_dir():
        hint = "Name a folder with config.json, *.safetensors and a tokenizer; nothing is downloaded"
        raise UsageError("there is no such model folder", where=str(folder), hint=hint)
    config = _read_json(folder / "config.json", "configuration")
    for name in ("config.json", "tokenizer_config.json"):
        place = folder / name
        if place.exists() and "auto_map" in _read_json(place, name):
            raise ModelError(
                "the model wants code of its own to be run, which is never done",
                where=str(place),
                hint="Take a model that transformers knows by itself",
            )
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for kind in _PICKLES for path in folder.glob(kind))
        if pickles:
            raise ModelError(
                f"its weights are pickles ({', '.join(pickles[:3])}), which can run code and are not opened",
                where=str(folder),
                hint="Take the safetensors of the model",
            )
        raise ModelError("there are no weights", where=str(folder), hint="Put *.safetensors there")
    return config


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a model folder.

    Raises:
        ModelError: There is none, it is slow, or it has no chat template.
    """
    transformers = _import_transformers()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
        raise _unreadable("tokenizer", folder, error) from error
    except BaseException as error:
        # The Rust library raises plain `Exception` for a damaged tokenizer.json.
        if type(error) is not Exception:
            raise
        raise _unreadable("tokenizer", folder, error) from error
    if not tokenizer.is_fast:
        raise ModelError("the tokenizer is no fast one", where=str(folder), hint="Add its tokenizer.json")
    if not tokenizer.chat_template:
        raise ModelError(
            "the tokenizer has no chat template",
            where=str(folder),
            hint="Take an instruction-tuned model, or put chat_template.jinja into the folder",
        )
    if tokenizer.eos_token_id is None:
        raise ModelError("the tokenizer has no end token", where=str(folder), hint="Set eos_token")
    return tokenizer


def load_model(folder: Path, tokenizer: Any, *, precision: str = "float32") -> Any:
    """Return the model of a folder, its weights in the given precision.

    Raises:
        ModelError: The weights are damaged, or the tokenizer is of another model.
    """
    import torch
    from safetensors import SafetensorError

    transformers = _import_transformers()
    try:
        with quiet():
            model, report = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                dtype=getattr(torch, precision),
                output_loading_info=True,
            )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        ImportError,
        AttributeError,
        SafetensorError,
    ) as error:
        raise _unreadable("model", folder, error) from error
    if missing := sorted(report.get("missing_keys") or ()):
        raise ModelError(
            f"{len(missing)} weights are missing, {missing[0]} among them",
            where=str(folder),
            hint="Take a whole copy of the model",
        )
    rows = model.get_input_embeddings().weight.shape[0]
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= rows:
        raise ModelError(
            f"the tokenizer is of another model: its ids go up to {highest}, the model knows {rows}",
            where=str(folder),
            hint="Put the model's own tokenizer into the folder",
        )
    return model


@contextmanager
def quiet() -> Iterator[None]:
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


def _read_json(file: Path, what: str) -> dict[str, Any]:
    hint = "Take a whole copy of the model"
    data = read_at_most(file, _LARGEST_CONFIG, what=what, hint=hint)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", where=str(file), hint=hint) from None
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=str(file), hint=hint)
    return value


def _unreadable(what: str, folder: Path, error: BaseException) -> ModelError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ModelError(
        f"the {what} cannot be read: {first:.200}",
        where=str(folder),
        hint="Take a whole copy of the model, of a kind that transformers knows",
    )


def _import_transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ConfigError(
            f"training needs {error.name}", hint="pip install 'toolhaft-finetune[torch]'"
        ) from None
    return transformers
