"""What is known of a model: a card, with every field of one type whatever its source wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolhaft_hub.code import PythonCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measured figure.

    Attributes:
        name: What was measured, for example ``accuracy / top_1``.
        value: The figure; None where the source gives words alone.
        text: As the source writes it.
        dataset: On what; empty if unknown.
    """

    name: str
    value: float | None = None
    text: str = ""
    dataset: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as JSON values."""
        return {"name": self.name, "value": self.value, "text": self.text, "dataset": self.dataset}


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument that the source documents.

    Attributes:
        name: As it is given; empty where the source has a sentence only.
        value: Its value in the source, if it has one.
        description: What the source says of it.
    """

    name: str
    value: Any = None
    description: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the argument as JSON values."""
        return {"name": self.name, "value": self.value, "description": self.description}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A model as a hub describes it.

    Attributes:
        hub: ``huggingface``, ``torchhub``, ``tensorflowhub``, ``local``, or ``other``.
        id: The hub's name of the model.
        task: What it does, in words of HuggingFace's tasks where one fits: ``image-classification``.
        domain: As the source labels it; likewise ``functionality`` and ``framework``.
        call: The call that loads it; None where the source's text is no Python call.
        call_text: That call as the source writes it.
        arguments: Documented arguments.
        requirements: Packages it needs, as the source names them.
        example: Example code, untrusted.
        metrics: Measured figures.
        size: Number of weights; None where the source does not say it.
        description: Untrusted.
    """

    hub: str
    id: str
    task: str = ""
    domain: str = ""
    functionality: str = ""
    framework: str = ""
    call: PythonCall | None = None
    call_text: str = ""
    arguments: tuple[Argument, ...] = ()
    requirements: tuple[str, ...] = ()
    example: str = ""
    metrics: tuple[Metric, ...] = ()
    size: int | None = None
    description: str = ""
    license: str = ""
    labels: tuple[str, ...] = field(default=())

    def facts(self) -> dict[str, Any]:
        """Return what a program may filter and sort by, as JSON values."""
        return {
            "hub": self.hub,
            "id": self.id,
            "task": self.task,
            "domain": self.domain,
            "framework": self.framework,
            "call": self.call_text,
            "parameters": self.size,
            "arguments": [argument.to_dict() for argument in self.arguments],
            "requirements": list(self.requirements),
            "metrics": [metric.to_dict() for metric in self.metrics],
            "license": self.license,
            "labels": list(self.labels),
        }
