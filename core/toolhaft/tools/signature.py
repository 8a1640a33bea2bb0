"""The arguments of a function as a JSON Schema, and JSON arguments as what its hints ask for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

from toolhaft.errors import InvalidArgumentsError, UsageError
from toolhaft.tools.artifact_places import artifact_schema
from toolhaft.tools.base import CallContext
from toolhaft.types import Artifact
from toolhaft.types.pointer import json_pointer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import GenerateJsonSchema


_MEDIA_TYPE = re.compile(r"[a-z]+/(?:\*|[a-z0-9.+-]+)")


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
    from pydantic import ConfigDict, create_model
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    hints = _hints(function, name)
    description, documented = _docstring(function)
    fields: dict[str, Any] = {}
    context_name = None
    extra: Any = "forbid"
    for position, parameter in enumerate(_parameters(function, name)):
        hint = hints.get(parameter.name, Any)
        if hint is CallContext or CallContext in get_args(hint):
            context_name = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
        else:
            fields[f"p{position}"] = (
                _shown_as_handle(hint),
                _field(parameter, hint, documented.get(parameter.name)),
            )
    try:
        arguments = create_model(name, __config__=ConfigDict(extra=extra), **fields)
        schema = arguments.model_json_schema(by_alias=True, schema_generator=_generator())
    except (PydanticUserError, PydanticUndefinedAnnotation, TypeError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"the hints of tool {name!r} have no JSON Schema: {first}",
            hint="Use JSON types, dataclasses, TypedDicts, enums or pydantic models, defined at module level",
        ) from None
    schema.pop("title", None)
    schema.setdefault("properties", {})
    for given in schema["properties"].values():
        given.pop("title", None)
    return Signature(
        description=description, parameters=schema, arguments=arguments, context_name=context_name
    )


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    """Return the parameters that a caller fills in by name: what a partial has bound is none of them."""
    found = []
    bound = function.keywords if isinstance(function, partial) else {}
    for position, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise UsageError(
                f"the tool {name!r} takes positional arguments ({parameter})",
                hint="Models name their arguments: use named parameters",
            )
        if position == 0 and parameter.name == "self" and parameter.annotation is parameter.empty:
            raise UsageError(
                f"the tool {name!r} is a method without its object",
                hint="Take it from an object: Agent([shop.order]), not Agent([Shop.order])",
            )
        if parameter.name not in bound:
            found.append(parameter)
    return found


def _shown_as_handle(hint: Any, media_type: str = "") -> Any:
    """Return a hint in which each artifact has the schema of a handle, of its media type if it has one."""
    if hint is Artifact:
        from pydantic import WithJsonSchema

        return Annotated[hint, WithJsonSchema(artifact_schema(media_type))]
    inner = get_args(hint)
    if get_origin(hint) is Annotated:
        notes = _notes(hint)
        said = next((note for note in notes if isinstance(note, str) and _MEDIA_TYPE.fullmatch(note)), "")
        found = _shown_as_handle(inner[0], said)
        return hint if found is inner[0] else Annotated[found, *notes]
    found = tuple(_shown_as_handle(item, media_type) for item in inner)
    if all(new is old for new, old in zip(found, inner, strict=True)):
        return hint
    if isinstance(hint, UnionType):
        return Union[found]  # noqa: UP007  (made at run time)
    return hint.copy_with(found) if hasattr(hint, "copy_with") else get_origin(hint)[found]


def _field(parameter: inspect.Parameter, hint: Any, documented: str | None) -> Any:
    """Return what pydantic is told about a parameter; its alias is the name that the model uses."""
    from pydantic import Field

    said = documented or next((note for note in _notes(hint) if _is_description(note)), None)
    known: dict[str, Any] = {"alias": parameter.name}
    if said:
        known["description"] = said
    return Field(... if parameter.default is parameter.empty else parameter.default, **known)


def _is_description(note: Any) -> bool:
    return isinstance(note, str) and not _MEDIA_TYPE.fullmatch(note)


def _notes(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__metadata__", ())


@cache
def _generator() -> type[GenerateJsonSchema]:
    from pydantic.json_schema import GenerateJsonSchema

    class Quiet(GenerateJsonSchema):
        """Leaves out defaults that are not JSON, such as a sentinel object, without a warning.

        An artifact inside a dataclass or model is a handle too.
        """

        ignored_warning_kinds = GenerateJsonSchema.ignored_warning_kinds | {"non-serializable-default"}

        def dataclass_schema(self, schema: Any) -> dict[str, Any]:
            return artifact_schema() if schema["cls"] is Artifact else super().dataclass_schema(schema)

    return Quiet


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
        pointer = json_pointer(first["loc"])
        raise InvalidArgumentsError(
            first["msg"], where=f"{name}#{pointer}", details={"pointer": pointer}
        ) from None
    fields = type(model).model_fields
    given = {fields[key].alias or key: getattr(model, key) for key in model.model_fields_set if key in fields}
    return given | (model.model_extra or {})


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    while isinstance(function, partial):
        function = function.func
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise UsageError(
            f"a type hint of tool {name!r} cannot be resolved: {error}",
            hint="Import the type at run time and define it at module level, before the tool",
        ) from None


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the description and the arguments' descriptions."""
    import docstring_parser

    parsed = docstring_parser.parse(_written(function))
    text = "\n\n".join(part for part in (parsed.short_description, parsed.long_description) if part)
    return text, {entry.arg_name: entry.description or "" for entry in parsed.params}


def _written(function: Callable[..., Any]) -> str:
    """Return the docstring; of an object with ``__call__``, that method's before its class's."""
    while isinstance(function, partial):
        function = function.func
    if inspect.isroutine(function):
        return inspect.getdoc(function) or ""
    return inspect.cleandoc(type(function).__call__.__doc__ or type(function).__doc__ or "")
