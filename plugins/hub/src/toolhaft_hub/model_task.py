"""What models that run here do: their input as a JSON Schema, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TEXT = {"type": "string", "minLength": 1, "maxLength": 20_000, "description": "The text"}
_IMAGE = {
    "type": "string",
    "format": "artifact",
    "contentMediaType": "image/*",
    "description": "The image, by its handle",
}
_TOP = {
    "type": "integer",
    "minimum": 1,
    "maximum": 100,
    "default": 3,
    "description": "How many answers, best first",
}
_THRESHOLD = {
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "default": 0.5,
    "description": "Least score of an answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTask:
    """A task that models are run for.

    Attributes:
        name: As transformers' pipelines call it.
        loader: The class of transformers that loads such a model.
        says: What a model of it does, for its tool's description.
        properties: Schemas of its arguments.
        required: Those that must be given.
        options: What the pipeline is given besides its input, from the arguments.
        reader: What prepares its input: ``tokenizer`` or ``image_processor``.
    """

    name: str
    loader: str
    says: str
    properties: Mapping[str, Any]
    required: tuple[str, ...]
    options: Callable[[Mapping[str, Any]], dict[str, Any]]
    reader: str = "tokenizer"

    @property
    def input(self) -> str:
        """Name of the argument that is the pipeline's input."""
        return self.required[0]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }


TASKS: dict[str, ModelTask] = {
    task.name: task
    for task in (
        ModelTask(
            name="text-classification",
            loader="AutoModelForSequenceClassification",
            says="Classify a text",
            properties={"text": _TEXT, "top_k": _TOP},
            required=("text",),
            options=lambda given: {"top_k": given.get("top_k", 3), "truncation": True},
        ),
        ModelTask(
            name="zero-shot-classification",
            loader="AutoModelForSequenceClassification",
            says="Say which of the given labels fits a text",
            properties={
                "text": _TEXT,
                "labels": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100},
            },
            required=("text", "labels"),
            options=lambda given: {"candidate_labels": list(given["labels"])},
        ),
        ModelTask(
            name="token-classification",
            loader="AutoModelForTokenClassification",
            says="Find the names in a text",
            properties={"text": _TEXT},
            required=("text",),
            options=lambda _: {"aggregation_strategy": "simple"},
        ),
        ModelTask(
            name="fill-mask",
            loader="AutoModelForMaskedLM",
            says="Fill the gap in a text",
            properties={
                "text": {**_TEXT, "description": "The text, the mask token in the place of the gap"},
                "top_k": _TOP,
            },
            required=("text",),
            options=lambda given: {"top_k": given.get("top_k", 3)},
        ),
        ModelTask(
            name="text-generation",
            loader="AutoModelForCausalLM",
            says="Continue a text",
            properties={
                "text": _TEXT,
                "max_new_tokens": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            },
            required=("text",),
            options=lambda given: {
                "max_new_tokens": given.get("max_new_tokens", 100),
                "do_sample": False,
                "return_full_text": False,
            },
        ),
        ModelTask(
            name="image-classification",
            loader="AutoModelForImageClassification",
            says="Classify an image",
            properties={"image": _IMAGE, "top_k": _TOP},
            required=("image",),
            options=lambda given: {"top_k": given.get("top_k", 3)},
            reader="image_processor",
        ),
        ModelTask(
            name="object-detection",
            loader="AutoModelForObjectDetection",
            says="Find the objects in an image",
            properties={"image": _IMAGE, "threshold": _THRESHOLD},
            required=("image",),
            options=lambda given: {"threshold": given.get("threshold", 0.5)},
            reader="image_processor",
        ),
    )
}

_ENDINGS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
}


def task_of_architecture(architecture: str, stated: str = "") -> str:
    """Return the task of an architecture such as ``BertForSequenceClassification``; empty if none here.

    Args:
        architecture: As in ``config.json``.
        stated: The card's ``pipeline_tag``, which tells the two tasks of one architecture apart.
    """
    for ending, task in _ENDINGS.items():
        if architecture.endswith(ending):
            same = stated in TASKS and TASKS[stated].loader == TASKS[task].loader
            return stated if same else task
    return ""
