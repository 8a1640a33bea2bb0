"""From a registered name to the thing itself: import, settings, call, type."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from toolhaft.errors import PluginError, UsageError, nearest_names
from toolhaft.hooks.contribution import describe_error
from toolhaft.hooks.distributions import Candidate, Requirement, normalise
from toolhaft.hooks.kinds import Kind
from toolhaft.hooks.record import one_line
from toolhaft.hooks.specs import Factory

_MAKE_PART = "make_part"
"""A parameter that the registry fills in; nobody sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A factory and who registered it.

    Attributes:
        kind: What it makes.
        name: What it is registered as.
        factory: A callable, or ``module:name``.
        plugin: Name of the plugin.
        distribution: Of the plugin; likewise ``requirements``.
    """

    kind: Kind
    name: str
    factory: Factory
    plugin: str
    distribution: str = ""
    requirements: tuple[Requirement, ...] = ()

    @property
    def title(self) -> str:
        """Return what messages call it, for example ``planner 'mcts' of the plugin 'acme'``."""
        return f"{self.kind.name} {self.name!r} of the plugin {self.plugin!r}"


def find_target(target: str) -> Any:
    """Import ``module:name``.

    Raises:
        ImportError: There is no such module, or it has no such name. Whatever else the module raises
            while it is imported comes through.
    """
    module_name, _, attributes = target.partition(":")
    found: Any = import_module(module_name)
    for attribute in filter(None, attributes.split(".")):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise ImportError(f"{module_name} has no {attribute!r}", name=module_name) from None
    return found


def check_settings(
    registration: Registration, factory: Callable[..., Any], settings: Mapping[str, Any]
) -> None:
    """Check that a factory takes the settings.

    Raises:
        UsageError: It does not, or needs more.
    """
    parameters = accepted_settings(factory)
    if parameters is None:
        return
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    accepted = tuple(
        name
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    shown = ", ".join(name for name in accepted if name != _MAKE_PART) or "none"
    for name in settings:
        if name not in accepted and not open_ended:
            nearest = nearest_names(name, accepted, 1)
            guess = f"Did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(
                f"the {registration.title} takes no setting {name!r}",
                hint=f"{guess}Settings: {shown}",
                details={"plugin": registration.plugin, "accepted": list(accepted)},
            )
    missing = [
        name
        for name in accepted
        if parameters[name].default is inspect.Parameter.empty and name not in settings
    ]
    if missing:
        raise UsageError(
            f"the {registration.title} needs the setting {missing[0]!r}",
            hint=f"Settings: {shown}",
            details={"plugin": registration.plugin, "accepted": list(accepted), "missing": missing},
        )


def accepted_settings(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters of a factory, or None where Python cannot tell."""
    try:
        return inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return None


def with_parts(
    factory: Callable[..., Any], settings: Mapping[str, Any], make: Callable[[str, str, dict[str, Any]], Any]
) -> dict[str, Any]:
    """Return the settings, with ``make_part`` among them for a factory that takes it.

    What is made of other parts, as a retriever that fuses others, asks for them by name through it.

    Args:
        factory: To be called.
        settings: As given; a ``make_part`` among them is left.
        make: Makes a part by its kind, its name (settings may stand behind it) and its settings.
    """
    given = dict(settings)
    if _MAKE_PART in (accepted_settings(factory) or {}):
        given.setdefault(_MAKE_PART, make)
    return given


def check_made(registration: Registration, made: Any) -> None:
    """Check that a factory made what its kind promises.

    Raises:
        PluginError: It made something else.
    """
    base = find_target(registration.kind.base)
    if not isinstance(made, base):
        raise PluginError(
            f"the {registration.title} made {one_line(type(made).__name__, 60)}, not a {base.__name__}",
            where=str(registration.factory) if isinstance(registration.factory, str) else "",
            hint=f"Its author must derive it from {registration.kind.base.replace(':', '.')}",
        )


def missing_package_hint(error: ImportError, distribution: str, requirements: tuple[Requirement, ...]) -> str:
    """Return what to install for an import that failed, as far as the metadata tells."""
    module = (error.name or "").split(".")[0]
    own = normalise(module) == normalise(distribution)
    if own or not isinstance(error, ModuleNotFoundError) or not module:
        return f"Install it anew: pip install --force-reinstall {distribution}" if distribution else ""
    for requirement in requirements:
        if requirement.name == normalise(module):
            extra = requirement.extra
            return f"pip install '{distribution}[{extra}]'" if extra else f"pip install {requirement.name}"
    return f"Install the package that provides the module {module!r}"


def broken_factory(registration: Registration, error: BaseException) -> PluginError:
    """Return the error for a factory that cannot be imported, or raises; its plugin is named."""
    hint = ""
    if isinstance(error, ImportError):
        hint = missing_package_hint(error, registration.distribution, registration.requirements)
    return PluginError(
        f"the {registration.title} cannot be made: it {describe_error(error)}",
        where=registration.factory if isinstance(registration.factory, str) else "",
        hint=hint,
        details={"plugin": registration.plugin, "distribution": registration.distribution},
    )


def import_problem(candidate: Candidate, error: BaseException) -> str:
    """Return why a plugin could not be imported, as the rest of its record's reason."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        hint = missing_package_hint(error, candidate.distribution, candidate.requirements)
        return f"it needs the module {one_line(error.name, 80)!r}, which is not installed; {hint}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"syntax error in {one_line(error.filename, 200)}, line {error.lineno}: {one_line(error.msg)}"
    return f"its import {describe_error(error)}"
