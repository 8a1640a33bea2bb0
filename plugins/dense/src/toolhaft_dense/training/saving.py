"""A trained encoder as a folder in the layout of sentence-transformers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from toolhaft.training.folders import told_clearly, whole_folder
from toolhaft_dense.training.network import Network
from toolhaft_dense.weights import EncoderFolder

_KIND = "sentence_transformers.models"
_COPIED = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def save_encoder(network: Network, place: Path, card: str) -> None:
    """Write the weights, the base's own tokenizer and configuration, and a card; all or nothing.

    Args:
        network: What was trained.
        place: The folder; one that is there is replaced.
        card: Markdown.

    Raises:
        UsageError: It cannot be written.
    """
    from safetensors import SafetensorError

    with told_clearly(place, SafetensorError), whole_folder(place) as folder:
        _write(network, folder)
        (folder / "README.md").write_text(card, encoding="utf-8")


def _write(network: Network, folder: Path) -> None:
    from safetensors.torch import save_file

    base = network.folder
    for name in _COPIED:
        if (base.path / name).is_file():
            shutil.copyfile(base.path / name, folder / name)
    weights = {name: one.detach().cpu().contiguous() for name, one in network.model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # as readable as the files beside it
    for name, value in _layout(base).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=2), encoding="utf-8")


def _layout(base: EncoderFolder) -> dict[str, Any]:
    """Return the JSON files that say how texts become vectors, by name."""
    parts = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return {
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"{_KIND}.{kind}"}
            for number, (path, kind) in enumerate(parts)
        ],
        "sentence_bert_config.json": {"max_seq_length": base.longest, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": base.width,
            "pooling_mode_cls_token": base.pooling == "first",
            "pooling_mode_mean_tokens": base.pooling == "mean",
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    }
