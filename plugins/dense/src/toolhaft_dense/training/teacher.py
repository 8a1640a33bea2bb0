"""A cross-encoder as a teacher: it reads a query and a text together, and says how well they fit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, UsageError
from toolhaft.models.parsing import NotJSONError, read_json
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone

_LONGEST = 512
_LARGEST_CONFIG = 4_000_000


class CrossEncoderTeacher:
    """Scores by a model that has one output for a pair of texts.

    Args:
        folder: With config.json, model.safetensors and a tokenizer.

    Attributes:
        digest: What tells this teacher from others.

    Raises:
        ConfigError: It is no such folder, or it cannot be loaded.
    """

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder)
        self.digest = _check(path)
        loading = call_alone(_load, path)
        if loading.error is not None:
            if not isinstance(loading.error, Exception) or isinstance(loading.error, ConfigError):
                raise loading.error
            said = clean(" ".join(str(loading.error).split()), 300) or type(loading.error).__name__
            raise ConfigError(f"the teacher cannot be loaded: {said}", where=str(path))
        self._path = path
        self._tokenizer, self._model, self._device = loading.value

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score a text, the higher the better.

        Raises:
            UsageError: The teacher gives no numbers.
        """
        import torch

        readable = [text.encode("utf-8", "replace").decode() for text in texts]
        asked = query.encode("utf-8", "replace").decode()
        given = self._tokenizer(
            [asked] * len(readable),
            readable,
            padding=True,
            truncation=True,
            max_length=_LONGEST,
            return_tensors="pt",
        ).to(self._device)
        with torch.no_grad():
            found = self._model(**given).logits.squeeze(-1).float().cpu()
        if not bool(torch.isfinite(found).all()):
            raise UsageError("the teacher gives no numbers", where=str(self._path))
        values: list[float] = found.tolist()
        return values


def _check(path: Path) -> str:
    """Return a digest of the files that decide what the teacher says."""
    file = path / "config.json"
    hint = "Name a folder with config.json, model.safetensors and a tokenizer; nothing is downloaded"
    try:
        if file.stat().st_size > _LARGEST_CONFIG:
            raise ConfigError("the file is beyond all measure", where=str(file))
        config = read_json(file.read_bytes())
        weights = path / "model.safetensors"
        with weights.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"there is no teacher here: {error.strerror}", where=str(path), hint=hint) from None
    except NotJSONError as error:
        raise ConfigError(f"the file is {error}", where=str(file), hint=hint) from None
    if not isinstance(config, dict) or "auto_map" in config:
        raise ConfigError("the teacher brings code of its own, which is never run", where=str(file))
    labels = config.get("id2label")
    if not isinstance(labels, dict) or len(labels) != 1:
        raise ConfigError(
            "the teacher has not one output", where=str(file), hint="Take a cross-encoder for ranking"
        )
    return digest


def _load(path: Path) -> tuple[Any, Any, str]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path), use_fast=True, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        str(path), use_safetensors=True, local_files_only=True, dtype="float32"
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.eval().to(device), device
