"""The arguments of a function as a JSON Schema, and JSON arguments as what its hints ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from toolhaft.errors import InvalidArgumentsError, UsageError
from toolhaft.tools.base import CallContext

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a function's hints and docstring say.

    Attributes:
        parameters: JSON Schema 2020-12 of the arguments.
        arguments: A pydantic model whose fields are aliased to the parameter names.
        context_name: The parameter that takes the `CallContext`, or None.
    """

    description: str
    parameters: dict[str, Any]
    arguments: type[BaseModel]
    context_name: str | None


def describe(function: Callable[..., Any], name: str) -> Signature:
    """Work out the schema of a function's arguments.

    Raises:
        UsageError: A hint cannot be resolved or has no JSON Schema, or the function takes ``*args``.
    """
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    hints = _hints(function, name)
    description, documented = _docstring(function)
    fields: dict[str, Any] = {}
    context_name = None
    extra: Any = "forbid"
    for position, parameter in enumerate(inspect.signature(function).parameters.values()):
        hint = hints.get(parameter.name, Any)
        if hint is CallContext:
            context_name = parameter.name
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise UsageError(
                f"the tool {name!r} takes positional arguments ({parameter})",
                hint="Models name their arguments: use named parameters",
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[f"p{position}"] = (
            hint,
            Field(default, alias=parameter.name, description=documented.get(parameter.name)),
        )
    try:
        arguments = create_model(name, __config__=ConfigDict(extra=extra), **fields)
        schema = arguments.model_json_schema(by_alias=True)
    except PydanticUserError as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"the hints of tool {name!r} have no JSON Schema: {first}") from None
    schema.pop("title", None)
    schema.setdefault("properties", {})
    for given in schema["properties"].values():
        given.pop("title", None)
    return Signature(
        description=description, parameters=schema, arguments=arguments, context_name=context_name
    )


def convert(arguments: type[BaseModel] | None, values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return keywords for the function: dates, enums, dataclasses and models made from JSON.

    Raises:
        InvalidArgumentsError: A value passes the JSON Schema but not the Python type.
    """
    if arguments is None:
        return dict(values)
    from pydantic import ValidationError

    try:
        model = arguments.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise InvalidArgumentsError(
            first["msg"], where=f"{name}#{pointer}", details={"pointer": pointer}
        ) from None
    given = {field.alias or key: getattr(model, key) for key, field in type(model).model_fields.items()}
    return given | (model.model_extra or {})


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise UsageError(
            f"a type hint of tool {name!r} cannot be resolved: {error}",
            hint="Define the type at module level, before the tool",
        ) from None


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the description and the arguments' descriptions."""
    import docstring_parser

    parsed = docstring_parser.parse(inspect.getdoc(function) or "")
    text = "\n\n".join(part for part in (parsed.short_description, parsed.long_description) if part)
    return text, {entry.arg_name: entry.description or "" for entry in parsed.params}
