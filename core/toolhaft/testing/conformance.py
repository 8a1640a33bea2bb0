"""What every installed plugin should pass, first-party or not."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from toolhaft.errors import PluginError, ToolhaftError, UnknownNameError
from toolhaft.hooks.distributions import Candidate, find_candidates
from toolhaft.hooks.factory import Registration, accepted_settings, find_target
from toolhaft.hooks.kinds import KINDS
from toolhaft.hooks.markers import PROJECT
from toolhaft.hooks.record import PluginRecord, one_line
from toolhaft.hooks.registry import Registry, import_factory
from toolhaft.hooks.version import satisfies
from toolhaft.testing.finding import Finding
from toolhaft.testing.snapshot import Snapshot, describe_changes, heavy_imports, take_snapshot

_SLOW = 0.5
"""Seconds; a plugin that only names what it has takes a hundredth of it."""


def find_candidate(name: str, path: Sequence[str]) -> Candidate:
    """Return an installed plugin by its name or its distribution's; nothing is imported.

    Args:
        name: Of the plugin or its distribution.
        path: Folders to look in.

    Raises:
        UnknownNameError: It is not installed.
    """
    candidates = find_candidates(PROJECT, path)
    for candidate in candidates:
        if name in (candidate.name, candidate.distribution):
            return candidate
    raise UnknownNameError("plugin", one_line(name, 80), tuple(each.name for each in candidates))


def check_plugin(name: str, *, path: Iterable[str] = (), build: bool = True) -> list[Finding]:
    """Check an installed plugin in this process; `check_in_child` survives one that hangs or crashes.

    Checked are the version range it asks for, what its import does to the process, its hooks, and
    that its factories can be imported and make what their kind promises. What was imported before the
    check is not noticed.

    Args:
        name: Of the plugin or its distribution.
        path: More folders to look in; they are appended to ``sys.path``.
        build: Call the factories that need no settings.

    Raises:
        UnknownNameError: It is not installed.
    """
    import sys

    sys.path.extend(folder for folder in path if folder not in sys.path)
    candidate = find_candidate(name, sys.path)
    others = {each.name for each in find_candidates(PROJECT, sys.path)} - {candidate.name}
    Registry.load(disabled=(*others, candidate.name))  # what the core itself imports is not its doing
    before = take_snapshot()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        registry = Registry.load(disabled=others, timeout=60)
    after = take_snapshot()
    record = next(
        each
        for each in registry.plugins
        if (each.name, each.distribution) == (candidate.name, candidate.distribution)
    )
    findings = _check_requirement(candidate)
    if record.reason:
        findings.append(Finding(check="loading", what=record.reason))
    findings += _check_import(before, after, record, printed.getvalue())
    for kind in record.provides:
        for registration in registry.registrations(kind):
            if registration.plugin == candidate.name:
                findings += _check_factory(registry, registration, build=build)
    return findings


def _check_requirement(candidate: Candidate) -> list[Finding]:
    ranges = [each.versions for each in candidate.requirements if each.name == PROJECT and not each.extra]
    if candidate.distribution == PROJECT:
        return []
    hint = "Depend on the series it was tested with, as in 'toolhaft==0.1.*'"
    if not ranges:
        return [
            Finding(check="requirement", what="it does not depend on toolhaft", hint=hint, severity="warning")
        ]
    try:
        unbounded = all(satisfies("9999", each) for each in ranges)
    except ValueError:
        return []  # the loader has said so
    if unbounded:
        what = "it accepts every later version of toolhaft"
        return [Finding(check="requirement", what=what, hint=hint, severity="warning")]
    return []


def _check_import(before: Snapshot, after: Snapshot, record: PluginRecord, printed: str) -> list[Finding]:
    findings: list[Finding] = []
    heavy = heavy_imports(before, after)
    if heavy:
        findings.append(
            Finding(
                check="weight",
                what=f"importing it imports {', '.join(heavy)}",
                hint="Register 'module:name' strings, and import such modules where they are used",
            )
        )
    if record.seconds > _SLOW:
        findings.append(
            Finding(check="weight", what=f"importing it takes {record.seconds:.1f} s", severity="warning")
        )
    if printed:
        findings.append(
            Finding(
                check="output",
                what=f"importing it prints {one_line(repr(printed), 80)}",
                hint="It would break the output of --json",
            )
        )
    findings += [
        Finding(check="side-effect", what=f"importing it changes {changed}")
        for changed in describe_changes(before, after)
    ]
    if after.threads - before.threads:
        findings.append(Finding(check="side-effect", what="importing it leaves a thread running"))
    return findings


def _check_factory(registry: Registry, registration: Registration, *, build: bool) -> list[Finding]:
    kind = registration.kind
    try:
        factory = import_factory(registration)
    except PluginError as error:
        return [Finding(check="factory", what=one_line(error.what), hint=one_line(error.hint))]
    if not kind.called:
        return []
    if isinstance(factory, type) and not issubclass(factory, find_target(kind.base)):
        base = KINDS[kind.name].base.replace(":", ".")
        return [Finding(check="factory", what=f"the {registration.title} is not derived from {base}")]
    settings = _example_settings(registration, factory)
    if not build or settings is None:
        return []
    try:
        registry.make(kind.name, registration.name, settings)
    except PluginError as error:
        return [Finding(check="factory", what=one_line(error.what), hint=one_line(error.hint))]
    except ToolhaftError as error:  # it wants a key, say, or a file: that is no fault
        what = f"the {registration.title} was not made: {error.what}"
        return [Finding(check="factory", what=one_line(what), severity="warning")]
    return []


def _example_settings(registration: Registration, factory: Any) -> dict[str, Any] | None:
    """Return settings a factory can be called with, or None if it needs some that only its author knows."""
    parameters = accepted_settings(factory) or {}
    needed = {
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    if registration.kind.name != "model" or "name" not in parameters:
        return None if needed else {}
    named = registration.name in ("http", "https")
    name = f"{registration.name}://127.0.0.1:9/v1#check" if named else "check"
    return {"name": name} if needed <= {"name"} else None
