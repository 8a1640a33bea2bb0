"""Options that several commands have, written down once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command in which each field of a parameter that is a dataclass is an option of its own.

    The command line sees the fields, in the place of the parameter; the command gets the dataclass.

    Args:
        command: As typer takes it. Fields have defaults, and the names of no other parameter.
    """
    kinds = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        kind = kinds[parameter.name]
        if not is_dataclass(kind):
            parameters.append(parameter.replace(annotation=kind))
            continue
        groups[parameter.name] = kind
        options = get_type_hints(kind, include_extras=True)
        parameters += [
            Parameter(one.name, parameter.kind, default=one.default, annotation=options[one.name])
            for one in fields(kind)
        ]

    @wraps(command)
    def grouped(**given: Any) -> None:
        for name, kind in groups.items():
            chosen = [one.name for one in fields(kind) if one.name in given]
            given[name] = kind(**{each: given.pop(each) for each in chosen})
        command(**given)

    grouped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    grouped.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return grouped
