"""A model's folder, looked at without loading it: what it does, and whether it is safe to load."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.text import clean
from toolhaft.tools.report import Problem
from toolhaft_hub.card import Card, Metric
from toolhaft_hub.figures import metrics_of
from toolhaft_hub.model_task import TASKS, task_of_architecture

_LARGEST_JSON = 5_000_000
_LARGEST_HEADER = 50_000_000
_LARGEST_CARD = 1_000_000
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)
_LONGEST_TEXT = 2_000
_CODE_KEYS = ("auto_map", "custom_pipelines")
_CODED_FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A folder with a model that may be loaded.

    Attributes:
        path: The folder.
        task: One of `toolhaft_hub.model_task.TASKS`.
        card: What is known of it.
        bytes: Size of its weights.
        problems: What was noticed.
    """

    path: Path
    task: str
    card: Card
    bytes: int
    problems: tuple[Problem, ...] = ()


def is_model(path: Path) -> bool:
    """Whether a folder holds a model."""
    return (path / "config.json").is_file() or (path / "adapter_config.json").is_file()


def read_folder(path: Path) -> ModelFolder:
    """Look at a model's folder.

    Raises:
        FormatError: A file in it is damaged, or it wants code of its own to run, or has no safetensors.
        UsageError: Its task is none that can be run here, or a file cannot be read.
    """
    if (path / "adapter_config.json").is_file():
        raise FormatError(
            "an adapter alone is no model, and would fetch its base", where=str(path), hint="Merge it first"
        )
    config = read_json(path / "config.json")
    _refuse_code(path)
    weights = _weights(path)
    _check_layers(path, config, sum(tensors for _, _, tensors in weights))
    front, text = _model_card(path)
    task = _task(path, config, front)
    _check_reader(path, TASKS[task].reader)
    problems: list[Problem] = []
    stated = front.get("pipeline_tag")
    if isinstance(stated, str) and stated != task:
        message = f"the card says {clean(stated, 60)}, the architecture {task}; the latter counts"
        problems.append(Problem(code="task-differs", message=message))
    card = Card(
        hub="local",
        id=clean(path.resolve().name, 100) or "model",
        task=task,
        framework="transformers",
        requirements=("transformers", "torch"),
        metrics=_metrics(front),
        size=sum(count for _, count, _ in weights),
        description=_description(text),
        license=clean(str(front.get("license") or ""), 60),
        labels=_labels(config),
    )
    size = sum(file.stat().st_size for file, _, _ in weights)
    return ModelFolder(path=path.resolve(), task=task, card=card, bytes=size, problems=tuple(problems))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        FormatError: It is none.
        UsageError: It cannot be read.
    """
    value = _parsed(_read(path, _LARGEST_JSON), path)
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=str(path), hint="Fetch the model again")
    return value


def count_weights(path: Path) -> tuple[int, int]:
    """Return how many weights a safetensors file holds, and in how many tensors, from its header alone.

    Raises:
        FormatError: It is no safetensors file, or says more than it holds.
        UsageError: It cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_LARGEST_HEADER, max(0, size - 8)):
                raise FormatError("not a safetensors file", where=str(path), hint="Fetch the weights again")
            header = _parsed(file.read(length), path)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror or error}", where=str(path)) from None
    return _counted(header, size - 8 - length, path)


def _counted(header: Any, held: int, path: Path) -> tuple[int, int]:
    broken = FormatError("its safetensors header is damaged", where=str(path), hint="Fetch the weights again")
    if not isinstance(header, dict):
        raise broken
    total = tensors = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shape = _naturals(entry.get("shape")) if isinstance(entry, dict) else None
        ends = _naturals(entry.get("data_offsets")) if isinstance(entry, dict) else None
        if shape is None or ends is None or len(ends) != 2 or not ends[0] <= ends[1] <= held:
            raise broken
        total += math.prod(shape)
        tensors += 1
    return total, tensors


def _naturals(value: Any) -> list[int] | None:
    fits = isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)
    return value if fits else None


def _weights(path: Path) -> list[tuple[Path, int, int]]:
    files = sorted(path.glob("*.safetensors"))
    if not files:
        others = sorted(
            each.name for ending in ("bin", "pth", "pt", "h5", "ckpt") for each in path.glob(f"*.{ending}")
        )
        if others:
            raise FormatError(
                f"its weights are in {others[0]}, which can run code when it is read",
                where=str(path),
                hint="Save the model with safe_serialization=True; only safetensors are loaded",
            )
        raise FormatError("it has no weights", where=str(path), hint="There must be a .safetensors file")
    return [(file, *count_weights(file)) for file in files]


def _check_layers(path: Path, config: Mapping[str, Any], tensors: int) -> None:
    """Raise if a configuration has more layers than there are tensors: laying them out takes for ever."""
    for name in ("num_hidden_layers", "n_layer", "n_layers", "num_layers"):
        layers = config.get(name)
        if isinstance(layers, int) and layers > tensors:
            raise FormatError(
                f"its configuration asks for {layers} layers, its files hold {tensors} tensors",
                where=str(path),
                hint="Fetch the model again",
            )


def _refuse_code(path: Path) -> None:
    for name in _CODED_FILES:
        if not (path / name).is_file():
            continue
        for key in _CODE_KEYS:
            if key in read_json(path / name):
                raise FormatError(
                    f"it wants code of its own to run ({key})",
                    where=str(path / name),
                    hint="Only architectures that transformers has are run",
                )


def _check_reader(path: Path, reader: str) -> None:
    """Raise unless what prepares the model's input is there; transformers would make up an empty one."""
    if reader == "tokenizer":
        names: tuple[str, ...] = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
        if not any(any(path.glob(name)) for name in names):
            raise FormatError("it has no tokenizer", where=str(path), hint="There must be a tokenizer.json")
    elif not (path / "preprocessor_config.json").is_file():
        raise FormatError(
            "it has no preprocessor_config.json", where=str(path), hint="Save its image processor beside it"
        )


def _task(path: Path, config: Mapping[str, Any], front: Mapping[str, Any]) -> str:
    named = config.get("architectures")
    architectures = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    for architecture in architectures:
        found = task_of_architecture(architecture, str(front.get("pipeline_tag") or ""))
        if found:
            return found
    shown = clean(", ".join(architectures), 100) or "no architecture"
    raise UsageError(
        f"models of its kind ({shown}) are not run here", where=str(path), hint=f"Tasks: {', '.join(TASKS)}"
    )


def _model_card(path: Path) -> tuple[Mapping[str, Any], str]:
    """Return the front matter of the folder's README.md, and its text; empty ones if there is none."""
    file = path / "README.md"
    if not file.is_file():
        return {}, ""
    text = _read(file, _LARGEST_CARD).decode("utf-8", "replace").replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front is None:
        return {}, text
    from toolhaft.openapi.documents.document import LIMITS
    from toolhaft.openapi.documents.yaml12 import read_yaml

    value = read_yaml(front[1], LIMITS, str(file)).value
    return (value if isinstance(value, Mapping) else {}), text[front.end() :]


def _description(text: str) -> str:
    for block in re.split(r"\n\s*\n", text):
        line = " ".join(block.split())
        if line and not line.startswith(("#", "<", "!", "|", "```", "[", "---")):
            return clean(line, _LONGEST_TEXT)
    return ""


def _metrics(front: Mapping[str, Any]) -> tuple[Metric, ...]:
    """Return the figures of a card's ``model-index``."""
    index = front.get("model-index")
    found: list[Metric] = []
    for model in index if isinstance(index, list) else []:
        results = model.get("results") if isinstance(model, Mapping) else None
        for result in results if isinstance(results, list) else []:
            if isinstance(result, Mapping):
                found += _result_metrics(result)
    return tuple(found[:60])


def _result_metrics(result: Mapping[str, Any]) -> list[Metric]:
    data = result.get("dataset")
    dataset = clean(str(data.get("name") or ""), 100) if isinstance(data, Mapping) else ""
    measured = result.get("metrics")
    found: list[Metric] = []
    for each in measured if isinstance(measured, list) else []:
        if isinstance(each, Mapping):
            name = str(each.get("name") or each.get("type") or "metric")
            found += metrics_of({"dataset": dataset, name: each.get("value")})
    return found


def _labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    named = config.get("id2label")
    if not isinstance(named, Mapping):
        return ()
    return tuple(clean(str(label), 60) for label in list(named.values())[:200])


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror or error}", where=str(path)) from None
    if len(data) > limit:
        raise FormatError(f"larger than {limit} bytes", where=str(path), hint="Fetch the model again")
    return data


def _parsed(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"not JSON: {str(error)[:200]}", where=str(path), hint="Fetch the model again"
        ) from None
