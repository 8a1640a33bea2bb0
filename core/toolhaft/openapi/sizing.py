"""What the sizes of tools do to them: which lose parts of their schemas, and how the report says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolhaft.openapi.schemas.estimating import Estimator
from toolhaft.openapi.schemas.fitting import SIZES, Cut, Fitter, SizeLimits
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import json_pointer

if TYPE_CHECKING:
    from toolhaft.openapi.plans import OperationPlan
    from toolhaft.openapi.schemas.schema import SchemaReader

MOST_WEIGHED = 200_000
"""Definitions of large tools that are weighed at import, each as often as a tool has it."""
_MOST_NAMED = 20
_OVERHEAD = 60
_PARAMETER = 400
"""Bytes of a parameter that are not of its schema: its description, and notes on where it goes."""


class Sizing:
    """Keeps the tools of one document to a size.

    Args:
        schemas: Of the document.
        limits: The sizes.
    """

    def __init__(self, schemas: SchemaReader, limits: SizeLimits = SIZES) -> None:
        self._schemas = schemas
        self._limits = limits
        self._fitter = Fitter(limits)
        self._weighed = 0
        self._estimator = Estimator(schemas.resolver, schemas.inheritance)

    def fit(self, parameters: dict[str, Any], name: str, description: str) -> dict[str, Any]:
        """Return the arguments schema of a tool in the size that the tool may have."""
        return self._fitter.fit(parameters, _reserved(name, description)).schema

    def cuts(self, parameters: dict[str, Any], name: str, description: str) -> tuple[Cut, ...]:
        """Return what `fit` leaves out."""
        self._weighed += len(parameters.get("$defs", ()))
        return self._fitter.cuts(parameters, _reserved(name, description))

    def may_cut(self, plan: OperationPlan) -> bool:
        """Whether the tool may be too large; told without building it, and never no by mistake."""
        schemas = [parameter.schema for parameter in plan.parameters]
        size = len(schemas) * _PARAMETER + _PARAMETER * 4
        if plan.body is not None:
            schemas.append(plan.body.schema)
        return self._estimator.exceeds(schemas, self._limits.largest - size)

    def may_weigh(self) -> bool:
        """Whether there is time left to find out at import what exactly a tool loses."""
        return self._weighed < MOST_WEIGHED

    def problems(self, cuts: tuple[Cut, ...], plan: OperationPlan) -> tuple[Problem, ...]:
        """Return what the report says of parts that were left out."""
        found = [
            Problem(
                code="schema-cut",
                message=self._message(cut),
                pointer=self._pointer(cut, plan),
                severity="degraded",
            )
            for cut in cuts[:_MOST_NAMED]
        ]
        if len(cuts) > _MOST_NAMED:
            message = f"{len(cuts) - _MOST_NAMED} more parts of the schema are left out for its size"
            pointer = plan.operation.pointer
            found.append(Problem(code="schema-cut", message=message, pointer=pointer, severity="degraded"))
        return tuple(found)

    def suspicion(self, plan: OperationPlan) -> Problem:
        """Return what the report says of a tool that is too large to be weighed at import."""
        message = (
            "the schema is too large; its deepest optional parts are left out, and any value is taken there"
        )
        return Problem(
            code="schema-cut", message=message, pointer=plan.operation.pointer, severity="degraded"
        )

    def _message(self, cut: Cut) -> str:
        where = f"{json_pointer(cut.path)} of the arguments" if not cut.definition else cut.definition
        return f"the schema is too large, and {where[:120]} is left out of it; any value is taken there"

    def _pointer(self, cut: Cut, plan: OperationPlan) -> str:
        if cut.definition:
            return self._schemas.place_of(cut.definition) + json_pointer(cut.path)
        if len(cut.path) > 1 and plan.body is not None:
            return f"{plan.body.pointer}/schema"
        return plan.operation.pointer


def _reserved(name: str, description: str) -> int:
    """Return the bytes of a tool that are not of its arguments."""
    return len(name) + len(description.encode("utf-8", "replace")) + _OVERHEAD
