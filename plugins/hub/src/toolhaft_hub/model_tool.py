"""A model on this machine, as a tool: its call runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.tools.base import CallContext, Tool
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Artifact, ToolSpec
from toolhaft_hub.model_folder import ModelFolder
from toolhaft_hub.model_task import TASKS, ModelTask
from toolhaft_hub.shelf import Shelf

_SHOWN_LABELS = 20
_MOST_ANSWERS = 200


class ModelTool(Tool):
    """Runs a model through transformers' pipeline; it is loaded at the first call.

    Args:
        name: Of the tool.
        folder: The model.
        shelf: Holds the loaded ones.
    """

    def __init__(self, name: str, folder: ModelFolder, shelf: Shelf) -> None:
        self._folder = folder
        self._shelf = shelf
        self._task = TASKS[folder.task]
        self.spec = _spec(name, folder, self._task)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Return the model's answers as JSON values."""
        given = arguments[self._task.input]
        options = self._task.options(arguments)
        if self._task.reader == "image_processor":
            given = await run_in_thread(_picture, {"given": given, "context": context})
        asked = {"folder": self._folder, "given": given, "options": options}
        return {"answers": answers_of(await run_in_thread(self._shelf.ask, asked))}


def answers_of(found: Any) -> list[Any]:
    """Return what a pipeline gave as a list of JSON values: numbers of Python, one shape per task."""
    if isinstance(found, Mapping) and "labels" in found and "scores" in found:
        pairs = zip(found["labels"], found["scores"], strict=True)
        return [{"label": str(label), "score": float(score)} for label, score in pairs]
    several = found if isinstance(found, list) else [found]
    return [_plain(each) for each in several[:_MOST_ANSWERS]]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        return value.item()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _picture(given: Any, context: CallContext) -> Any:
    from toolhaft_hub.pictures import read_picture

    if not isinstance(given, Artifact) or context.artifacts is None:
        raise InvalidArgumentsError("the image is no artifact", hint="Give an image by its handle")
    return read_picture(context.artifacts.get(given), given.name)


def _spec(name: str, folder: ModelFolder, task: ModelTask) -> ToolSpec:
    card = folder.card
    said = [task.says]
    if card.labels and len(card.labels) <= _SHOWN_LABELS:
        said.append(f"Labels: {', '.join(card.labels)}")
    if card.description:
        said.append(card.description)
    return ToolSpec(
        name=name,
        description=". ".join(part.rstrip(". ") for part in said) + ".",
        parameters=task.schema(),
        returns={
            "type": "object",
            "properties": {"answers": {"type": "array", "items": {"type": "object"}}},
            "required": ["answers"],
        },
        effect="read",
        tags=(card.task, "model"),
        source=f"hub:{folder.path}",
        parent="local",
        untrusted=True,
        timeout=300,
        concurrency=1,
        metadata={"hub": card.facts()},
    )
