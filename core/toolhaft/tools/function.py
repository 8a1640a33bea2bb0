"""Python functions as tools: the schema comes from type hints and the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, overload

from toolhaft.errors import SpecError, UsageError
from toolhaft.tools.base import CallContext, Tool, check_name
from toolhaft.tools.source import ToolSource
from toolhaft.types import Effect, ToolSpec

if TYPE_CHECKING:
    from pydantic import BaseModel

    from toolhaft.tools.catalog import Catalog


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
        self.__name__ = fields.get("name") or function.__name__
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
            module = getattr(self.function, "__module__", "") or ""
            self._spec = ToolSpec(
                name=self.__name__,
                parameters=described.parameters,
                source=f"python:{module}:{self.function.__qualname__}",
                **fields,
            )
        return self._spec

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Convert the arguments to what the hints say and call the function.

        Plain functions run in a thread. Results are turned into JSON values by pydantic.
        """
        from toolhaft.tools.signature import convert

        self.spec  # noqa: B018  (works out the argument types)
        keywords = convert(self._arguments, arguments, self.__name__)
        if self._context_name is not None:
            keywords[self._context_name] = context
        return _plain(await invoke(self.function, keywords))

    def binding(self) -> dict[str, Any] | None:
        """Return the import path of a module-level function; others cannot be kept."""
        path = self.spec.source.removeprefix("python:")
        return None if "<" in path else {"kind": "python", "path": path}

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
    tags: tuple[str, ...] = (),
    private: bool = False,
    untrusted: bool = False,
    inverse: str | None = None,
    examples: tuple[dict[str, Any], ...] = (),
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(function: Callable[..., Any] | None = None, /, **fields: Any) -> Any:
    """Make a tool of a function, sync or async.

    The description is the docstring without its argument section (Google, NumPy or Sphinx style); each
    argument's schema is from its type hint and its description from the docstring. A parameter annotated
    `CallContext` is filled in by the caller and never shown to the model.

    Args:
        function: The function, when the decorator stands without arguments.
        **fields: Fields of `toolhaft.types.ToolSpec`. ``effect`` is ``write`` unless you say that it only
            reads; ``untrusted`` is False, because you wrote it: set it if the result may hold text that
            strangers wrote, such as a web page.

    Raises:
        UsageError: The name is not legal, or the function takes ``*args``.
    """
    fields.setdefault("untrusted", False)
    if function is not None:
        return FunctionTool(function, **fields)
    return lambda decorated: FunctionTool(decorated, **fields)


class PythonSource(ToolSource):
    """Tools of an importable module: ``python:package.module``."""

    async def load(self, location: Any) -> Catalog:
        """Import a module, which the user thereby trusts, and collect its tools.

        Raises:
            UsageError: There is no such module, or it has no tools.
        """
        from toolhaft.tools.catalog import Catalog

        found = [value for value in vars(_import(str(location))).values() if isinstance(value, Tool)]
        if not found:
            raise UsageError("the module has no tools", where=str(location), hint="Decorate with @tool")
        return Catalog(found, name=str(location))

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Import the function again."""
        module, _, qualified = str(binding.get("path", "")).partition(":")
        target: Any = _import(module)
        for part in qualified.split("."):
            target = getattr(target, part, None)
        if isinstance(target, Tool):
            return target
        if callable(target):
            return FunctionTool(target, name=spec.name, effect=spec.effect)
        raise SpecError(f"there is no function {qualified!r} in {module!r}", where=spec.name)


async def invoke(function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
    """Call a function with keywords: awaited if it is async, in a thread if not."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  (objects with an async __call__)
    ):
        return await function(**keywords)
    import asyncio

    result = await asyncio.to_thread(function, **keywords)
    return await result if inspect.isawaitable(result) else result


def _plain(result: Any) -> Any:
    from toolhaft.tools.base import ToolResult
    from toolhaft.types import Artifact

    if result is None or isinstance(result, str | int | float | bool | bytes | Artifact | ToolResult):
        return result
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(result)


def _import(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"cannot import it: {error}", where=f"python:{module}") from None
