"""Python functions as tools: the schema comes from type hints and the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, overload

from toolhaft.errors import UsageError
from toolhaft.tools.base import CallContext, Tool, check_name
from toolhaft.types import Effect, ToolSpec

if TYPE_CHECKING:
    from pydantic import BaseModel


class FunctionTool(Tool):
    """A function that is a tool, and still a function: call it as before, or give it to an `Agent`.

    Made by the decorator `tool`. The spec is worked out when it is first asked for.
    """

    def __init__(self, function: Callable[..., Any], **fields: Any) -> None:
        self.function = function
        self._fields = fields
        self._spec: ToolSpec | None = None
        self._arguments: type[BaseModel] | None = None
        self._context_name: str | None = None
        self.__doc__ = function.__doc__
        self.__name__ = fields.get("name") or _name_of(function)
        self.__wrapped__ = function
        check_name(self.__name__)

    @property
    def spec(self) -> ToolSpec:  # type: ignore[override]
        """The spec, from the hints and the docstring."""
        if self._spec is None:
            from toolhaft.tools.signature import describe

            described = describe(self.function, self.__name__)
            self._arguments = described.arguments
            self._context_name = described.context_name
            fields = {key: value for key, value in self._fields.items() if key != "name"}
            fields["description"] = fields.get("description") or described.description
            self._spec = ToolSpec(
                name=self.__name__,
                parameters=described.parameters,
                source=_source_of(self.function),
                **fields,
            )
        return self._spec

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Convert the arguments to what the hints say and call the function.

        Plain functions run in a thread, generators too, whose items are collected. Results are turned into
        JSON values by pydantic.
        """
        from toolhaft.tools.signature import convert

        self.spec  # noqa: B018  (works out the argument types)
        keywords = convert(self._arguments, arguments, self.__name__)
        if self._context_name is not None:
            keywords[self._context_name] = context
        result = await invoke(self.function, keywords)
        if isinstance(result, Iterator):
            from toolhaft.tools.threads import run_in_thread

            result = await run_in_thread(partial(list, result), {})
        return _plain(result)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> FunctionTool:
        """Return the tool bound to an object, so that methods can be tools."""
        if instance is None:
            return self
        return FunctionTool(self.function.__get__(instance, owner), **self._fields)

    def __repr__(self) -> str:
        return f"<tool {self.__name__}>"


@overload
def tool(function: Callable[..., Any], /) -> FunctionTool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str = "",
    effect: Effect = "write",
    repeatable: bool = False,
    timeout: float | None = None,
    concurrency: int | None = None,
    tags: Sequence[str] = (),
    hosts: Sequence[str] = (),
    private: bool = False,
    untrusted: bool = False,
    inverse: str | None = None,
    examples: Sequence[dict[str, Any]] = (),
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str = "",
    effect: Effect = "write",
    repeatable: bool = False,
    timeout: float | None = None,
    concurrency: int | None = None,
    tags: Sequence[str] = (),
    hosts: Sequence[str] = (),
    private: bool = False,
    untrusted: bool = False,
    inverse: str | None = None,
    examples: Sequence[dict[str, Any]] = (),
) -> Any:
    """Make a tool of a function, sync or async.

    The description is the docstring without its argument section (Google, NumPy or Sphinx style); each
    argument's schema is from its type hint and its description from the docstring. A parameter annotated
    `CallContext` is filled in by the caller and never shown to the model. A parameter annotated
    `toolhaft.Artifact` is an image or file: the model writes its handle, and the function gets the
    artifact (``Annotated[Artifact, "image/*"]`` takes images alone, but any file in the field of a
    dataclass or model: check its ``media_type`` there); artifacts in the result get handles.

    Args:
        function: The function, when the decorator stands without arguments.
        name: Instead of the function's own.
        description: Instead of the docstring's.
        effect: ``write`` unless you say that it only reads, or that it cannot be undone.
        repeatable: Safe to send again with the same ``CallContext.key``.
        timeout: Seconds that a call may take.
        concurrency: Calls that may run at once.
        tags: Words to find it by.
        hosts: Origins (``https://host:port``) that it speaks to; a policy looks at them.
        private: Its results are the user's private data.
        untrusted: Its results may hold text that strangers wrote, such as a web page.
        inverse: Name of the tool that undoes it.
        examples: Arguments that make sense.

    Raises:
        UsageError: The name or a setting is not legal. When the spec is first asked for: the function takes
            ``*args``, or a hint cannot be resolved or has no JSON Schema.
    """
    if effect not in get_args(Effect):
        raise UsageError(f"the effect is {effect!r}", hint=f"Use one of {', '.join(get_args(Effect))}")
    for setting, value in (("timeout", timeout), ("concurrency", concurrency)):
        if value is not None and not value > 0:
            raise UsageError(f"the {setting} is {value!r}", hint="Give a number above 0, or None")
    fields: dict[str, Any] = {
        "name": name,
        "description": description,
        "effect": effect,
        "repeatable": repeatable,
        "timeout": timeout,
        "concurrency": concurrency,
        "tags": _texts(tags),
        "hosts": _texts(hosts),
        "private": private,
        "untrusted": untrusted,
        "inverse": inverse,
        "examples": tuple(examples),
    }
    if function is not None:
        return FunctionTool(function, **fields)
    return lambda decorated: FunctionTool(decorated, **fields)


async def invoke(function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
    """Call a function with keywords: awaited if it is async, in a thread if not."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  (objects with an async __call__)
    ):
        return await function(**keywords)
    from toolhaft.tools.threads import run_in_thread

    result = await run_in_thread(function, keywords)
    return await result if inspect.isawaitable(result) else result


def _plain(result: Any) -> Any:
    """Return a result as JSON values; artifacts in it stay what they are."""
    if result is None or type(result) in (str, int, float, bool, bytes):
        return result
    from toolhaft.tools.base import ToolResult
    from toolhaft.types import Artifact

    if isinstance(result, Artifact | ToolResult):
        return result
    from pydantic_core import to_jsonable_python

    if isinstance(result, set | frozenset) or _holds_artifact(result):
        members = _members(result)
        if isinstance(members, dict):
            return {str(name): _plain(item) for name, item in members.items()}
        return [_plain(item) for item in members or ()]
    return to_jsonable_python(result, bytes_mode="base64")


def _members(value: Any) -> dict[Any, Any] | Sequence[Any] | None:
    """Return what a collection, dataclass or pydantic model holds; None for what holds nothing."""
    if isinstance(value, dict | list | tuple):
        return value
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)  # in an order that the next process has too
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclass_fields(value)}
    if hasattr(type(value), "__pydantic_fields__"):
        return {name: getattr(value, name) for name in type(value).__pydantic_fields__}
    return None


def _holds_artifact(value: Any) -> bool:
    from toolhaft.types import Artifact

    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Artifact):
            return True
        if type(item) in (str, int, float, bool) or id(item) in seen:
            continue
        members = _members(item)
        if members is not None:
            seen.add(id(item))
            waiting.extend(members.values() if isinstance(members, dict) else members)
    return False


def _name_of(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _source_of(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    known = function if hasattr(function, "__qualname__") else type(function)
    return f"python:{known.__module__}:{known.__qualname__}"


def _texts(given: Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
