"""A folder that holds a model: what may be opened, told from its files alone, before anything heavy runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError
from toolhaft.models.parsing import NotJSONError, read_json

_LARGEST_CONFIG = 4_000_000
_LARGEST_INDEX = 64_000_000
_LARGEST_TOKENIZER = 256_000_000
_INDEX = "model.safetensors.index.json"
_CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A folder that was looked through.

    Attributes:
        path: Absolute.
        config: Its ``config.json``.
        context: The longest text it reads, prompt and answer together, in tokens; 0 if it does not say.
        files: Of its weights.
    """

    path: Path
    config: dict[str, Any] = field(repr=False)
    context: int = 0
    files: tuple[Path, ...] = ()


def check_folder(name: str) -> ModelFolder:
    """Return what a folder holds; nothing in it is run and no weight is read.

    Args:
        name: Its path; ``~`` is the home folder.

    Raises:
        ConfigError: There is no such folder, or it is none that may be opened: weights that are pickles,
            code of its own, an adapter without its model, or files that are damaged.
    """
    path = _find(name)
    config = _read_object(path / "config.json", _LARGEST_CONFIG)
    _refuse_code(path, config)
    if config.get("is_encoder_decoder"):
        raise ConfigError(
            "the model is an encoder and decoder, which is not supported",
            where=str(path / "config.json"),
            hint="Use a model that continues text (a causal language model)",
        )
    if not (path / "tokenizer.json").is_file():
        raise ConfigError(
            "the folder has no tokenizer.json",
            where=str(path),
            hint="Save the model's fast tokenizer there: AutoTokenizer.from_pretrained(...).save_pretrained",
        )
    if (path / "tokenizer.json").stat().st_size > _LARGEST_TOKENIZER:
        raise _too_large(path / "tokenizer.json", _LARGEST_TOKENIZER)
    files = _weight_files(path)
    return ModelFolder(
        path=path,
        config=config,
        context=_context_of(config),
        files=tuple(files),
    )


def _find(name: str) -> Path:
    if not name.strip():
        raise ConfigError("no model is named", hint="Write the folder that holds it, as in 'hf:models/qwen'")
    if "\0" in name or len(name) > 4_000:
        raise ConfigError("the model's folder is no path", hint="Write it as in 'hf:models/qwen'")
    try:
        path = Path(name).expanduser().absolute()
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"the model's folder cannot be read: {error}", where=name[:200]) from None
    if not exists:
        raise ConfigError(
            "there is no such folder; models are never downloaded from here",
            where=name[:400],
            hint="Download it first, for example: hf download ORGANISATION/MODEL --local-dir FOLDER",
        )
    if not is_folder:
        raise ConfigError(
            "a model is a folder, and this is a file",
            where=name[:400],
            hint="Name the folder with config.json, tokenizer.json and *.safetensors (GGUF files: llama.cpp)",
        )
    if not (path / "config.json").is_file():
        if (path / "adapter_config.json").is_file():
            raise ConfigError(
                "the folder holds an adapter, not a whole model",
                where=str(path),
                hint="Merge it into its model first, and name the merged folder",
            )
        raise ConfigError(
            "the folder has no config.json, so it holds no model",
            where=str(path),
            hint="Name the folder that save_pretrained wrote or that was downloaded",
        )
    return path


def _refuse_code(path: Path, config: dict[str, Any]) -> None:
    """Raise if a configuration asks for Python files of the folder to be run."""
    found = {"config.json": config}
    if (path / "tokenizer_config.json").is_file():
        found["tokenizer_config.json"] = _read_object(path / "tokenizer_config.json", _LARGEST_CONFIG)
    for name, content in found.items():
        if "auto_map" in content:
            raise ConfigError(
                "the model brings code of its own, which is never run",
                where=f"{path / name}#/auto_map",
                hint="Use a model whose architecture transformers knows",
            )


def _weight_files(path: Path) -> list[Path]:
    if (path / "model.safetensors").is_file():
        return [path / "model.safetensors"]
    if (path / _INDEX).is_file():
        return _shards(path)
    others = sorted(
        file.name
        for pattern in ("*.bin", "*.pth", "*.pt", "*.ckpt", "*.h5", "*.gguf", "*.msgpack")
        for file in path.glob(pattern)
    )
    if others:
        raise ConfigError(
            f"the weights are not safetensors but {others[0][:80]}, which may run code or is not read",
            where=str(path),
            hint="Convert them: model.save_pretrained(FOLDER) writes safetensors",
        )
    raise ConfigError("the folder has no model.safetensors", where=str(path), hint="Download the weights too")


def _shards(path: Path) -> list[Path]:
    index = _read_object(path / _INDEX, _LARGEST_INDEX)
    listed = index.get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise ConfigError(
            "the index names no weights", where=f"{path / _INDEX}#/weight_map", hint="Download it anew"
        )
    names = sorted({str(name) for name in listed.values()})
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ConfigError(
                f"the index names a file that is no safetensors file of this folder: {name[:100]!r}",
                where=f"{path / _INDEX}#/weight_map",
                hint="Weights must lie in the model's folder itself",
            )
        if not (path / name).is_file():
            raise ConfigError(
                f"the weight file {name[:100]!r} is missing", where=str(path), hint="Download it anew"
            )
    return [path / name for name in names]


def _context_of(config: dict[str, Any]) -> int:
    inner = config.get("text_config")
    for source in (inner if isinstance(inner, dict) else {}, config):
        for name in _CONTEXT_NAMES:
            value = source.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31:
                return value
    return 0


def _read_object(file: Path, largest: int) -> dict[str, Any]:
    try:
        if file.stat().st_size > largest:
            raise _too_large(file, largest)
        value = read_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}", where=str(file)) from None
    except NotJSONError as error:
        raise ConfigError(f"the file is {error}", where=str(file), hint="Download it anew") from None
    if not isinstance(value, dict):
        raise ConfigError("the file is not a JSON object", where=str(file), hint="Download it anew")
    return value


def _too_large(file: Path, largest: int) -> ConfigError:
    return ConfigError(f"the file is larger than {largest // 1_000_000} MB", where=str(file))
