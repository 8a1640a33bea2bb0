"""What one plugin brings: its hooks checked, called, and their results checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pluggy

from toolhaft.errors import nearest_names
from toolhaft.hooks import specs
from toolhaft.hooks.kinds import HOOKS, is_legal_name
from toolhaft.hooks.markers import PROJECT
from toolhaft.hooks.record import one_line
from toolhaft.hooks.specs import Factory

_TARGET = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MOST_NAMES = 1_000


@dataclass(slots=True, kw_only=True)
class Contribution:
    """What is sound in a plugin, and what is wrong with the rest.

    Attributes:
        factories: By kind and name.
        problems: One line each.
    """

    factories: dict[str, dict[str, Factory]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


Attempt = Callable[[Callable[[], Any]], tuple[Any, BaseException | None]]
"""Does some work and returns its result, or what it raised."""


def collect(plugin: object, name: str, attempt: Attempt) -> Contribution:
    """Call the hooks of a plugin.

    A plugin whose hooks are not what the core calls contributes nothing; a hook that fails takes only
    its own names with it.

    Args:
        plugin: A module or an object.
        name: For messages.
        attempt: How the plugin's own code is run.
    """
    found = Contribution()
    # One manager for each plugin: nobody's wrapper can stand before another's hook.
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    found.problems += _wrong_hooks(plugin, manager)
    if found.problems:
        return found
    _, error = attempt(lambda: manager.register(plugin, name))
    if error is not None:
        found.problems.append(one_line(error))
        return found
    for hook, kind in HOOKS.items():
        caller = getattr(manager.hook, hook)
        if not caller.get_hookimpls():
            continue
        names, error = attempt(partial(_call, caller))
        if error is not None:
            found.problems.append(f"{hook} {describe_error(error)}")
            continue
        for each, factory in names.items():
            problem = _wrong_entry(kind.name, each, factory)
            if problem:
                found.problems.append(f"{hook}: {problem}")
            else:
                found.factories.setdefault(kind.name, {})[each] = factory
    return found


class WrongResultError(Exception):
    """A hook returned what is no mapping of names to factories."""


def describe_error(error: BaseException) -> str:
    """Return how plugin code failed, as the rest of a sentence."""
    if isinstance(error, WrongResultError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"called sys.exit({one_line(repr(error.code), 40)})"
    from traceback import format_exception_only

    # str() of an error is plugin code as well, and may fail itself
    return f"raised {one_line(format_exception_only(error)[-1], 240)}"


def _call(caller: pluggy.HookCaller) -> dict[Any, Any]:
    results = caller()
    if not results:  # pluggy leaves out None
        raise WrongResultError("returned None; a mapping of names to factories is wanted")
    result = results[0]
    if inspect.iscoroutine(result):
        result.close()
        raise WrongResultError("is async; hooks are plain functions")
    if not isinstance(result, Mapping):
        raise WrongResultError(
            f"returned {one_line(type(result).__name__, 40)}; a mapping of names to factories is wanted"
        )
    if len(result) > _MOST_NAMES:
        raise WrongResultError(f"returned more than {_MOST_NAMES:,} names")
    return dict(result)


def _wrong_entry(kind: str, name: Any, factory: Any) -> str:
    hook_kind = next(each for each in HOOKS.values() if each.name == kind)
    if not is_legal_name(hook_kind, name):
        return (
            f"the name {one_line(repr(name), 80)} is not legal; use 2 to 64 lower-case letters, digits,"
            " hyphens, dots and underscores, a letter first"
        )
    if isinstance(factory, str):
        if not _TARGET.fullmatch(factory):
            return f"{name!r} is {one_line(repr(factory), 80)}; 'module:name' is wanted"
    elif not callable(factory):
        return f"{name!r} is {one_line(type(factory).__name__, 40)}; a callable or 'module:name' is wanted"
    return ""


def _wrong_hooks(plugin: object, manager: pluggy.PluginManager) -> list[str]:
    problems: list[str] = []
    marked = 0
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            marked += 1
            problems += _wrong_hook(plugin, name, options)
        elif name in HOOKS and inspect.isroutine(inspect.getattr_static(plugin, name, None)):
            marked += 1
            problems.append(f"{name} is not marked with @hookimpl")
    if not marked:
        unmarked = [name for name in dir(plugin) if name.startswith("register")]
        seen = f"; {unmarked[0]} is not marked with @hookimpl" if unmarked else ""
        problems.append(f"it implements no hook of Toolhaft{one_line(seen, 100)}")
    return problems


def _wrong_hook(plugin: object, name: str, options: Mapping[str, Any]) -> list[str]:
    hook = options.get("specname") or name
    if hook not in HOOKS:
        nearest = nearest_names(hook, tuple(HOOKS), 1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"the hooks are {', '.join(HOOKS)}"
        return [] if options.get("optionalhook") else [f"there is no hook {one_line(hook, 80)}; {hint}"]
    if options.get("wrapper") or options.get("hookwrapper"):
        return [f"{hook} is a wrapper; a plugin's hooks are called alone, there is nothing to wrap"]
    needed = [
        parameter.name
        for parameter in inspect.signature(getattr(plugin, name)).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return [f"{hook} wants the arguments {', '.join(needed)}; hooks are called with none"] if needed else []
