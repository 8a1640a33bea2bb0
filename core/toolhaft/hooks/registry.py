"""What is there to choose from: the built-ins and every plugin that works.

A broken plugin is named and set aside; everything else goes on. Loading reads metadata first, refuses
what was made for another version of the core, then imports one plugin after the other with a time limit.
What a plugin only names is imported when it is chosen. An installed plugin runs with full rights: its
faults are contained, its malice is not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from toolhaft.errors import PluginError, ToolhaftError, UnknownNameError, UsageError, nearest_names
from toolhaft.hooks.contribution import Attempt, Contribution, collect
from toolhaft.hooks.distributions import Candidate, find_candidates, normalise
from toolhaft.hooks.factory import (
    Registration,
    broken_factory,
    check_made,
    check_settings,
    find_target,
    import_problem,
    with_parts,
)
from toolhaft.hooks.first_party import install_command, provider_of
from toolhaft.hooks.kinds import KINDS, Kind, find_kind
from toolhaft.hooks.loader import finish_within
from toolhaft.hooks.markers import PROJECT
from toolhaft.hooks.record import PluginRecord, one_line, record_plugin
from toolhaft.hooks.reference import make_part, of_another_kind
from toolhaft.hooks.verdicts import find_verdict, read_verdicts
from toolhaft.hooks.version import satisfies
from toolhaft.hooks.written import text_settings
from toolhaft.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from toolhaft.evaluators.base import Evaluator
    from toolhaft.generators.base import Generator
    from toolhaft.models.base import Model
    from toolhaft.planners.base import Planner
    from toolhaft.retrievers.base import Retriever
    from toolhaft.retrievers.reranker import Reranker
    from toolhaft.runs.executor import Executor
    from toolhaft.tools.source import ToolSource

_SHOWN = 12
BUILTIN = Candidate(name="builtin", target="toolhaft.hooks.builtin", distribution="toolhaft")
"""The core's own plugin, for where the core runs without its metadata (from a folder, say)."""


class Registry:
    """Names and what makes the things they stand for.

    ``Registry()`` is empty; `load` finds what is installed, `add` takes a plugin by hand.
    """

    def __init__(self) -> None:
        self._registrations: dict[str, dict[str, Registration]] = {kind: {} for kind in KINDS}
        self._records: list[PluginRecord] = []

    @classmethod
    def load(
        cls,
        *,
        group: str = PROJECT,
        disabled: Iterable[str] | None = None,
        path: Iterable[str | Path] | None = None,
        timeout: float = 2.0,
        strict: bool = False,
    ) -> Registry:
        """Find, check and load the installed plugins.

        Each is imported in a thread. Call this from a function, not while a module that a plugin may
        want is being imported: the plugin would wait for that module, and this for the plugin.

        Args:
            group: Entry-point group.
            disabled: Plugins or distributions to leave out; None takes those that the user disabled.
                The core's own cannot be left out.
            path: More folders to look in; they are appended to ``sys.path``, for names are imported
                when they are chosen.
            timeout: Seconds that the import and the hooks of one plugin may take.
            strict: Raise at the first plugin that is FAILED, as a test suite may want.

        Raises:
            PluginError: ``strict`` is set and a plugin failed.
        """
        settings = load_settings()
        if disabled is None:
            disabled = settings.disabled_plugins
        sys.path.extend(str(folder) for folder in path or () if str(folder) not in sys.path)
        registry = cls()
        candidates = find_candidates(group, sys.path)
        if not any(_is_core(candidate) for candidate in candidates):
            candidates.insert(0, BUILTIN)
        off = {normalise(name) for name in disabled}
        verdicts = read_verdicts(settings.data_dir)
        for candidate in candidates:
            candidate = replace(candidate, problem=candidate.problem or find_verdict(verdicts, candidate))
            record = registry._load(candidate, off, timeout)
            registry._records.append(record)
            if strict and record.status == "FAILED":
                raise PluginError(
                    f"the plugin {record.name!r} failed: {record.reason}", where=record.distribution
                )
        return registry

    @staticmethod
    def default() -> Registry:
        """Return the one that is used where none is passed: what is installed, loaded once."""
        return _default()

    def add(self, plugin: object, *, name: str = "") -> PluginRecord:
        """Take in a plugin that is not installed: a module, or an object with marked methods.

        Args:
            plugin: What implements the hooks; see `toolhaft.hooks.specs`.
            name: For messages; by default its own.

        Raises:
            PluginError: Something is wrong with it; nothing of it is taken in.
        """
        name = name or one_line(getattr(plugin, "__name__", type(plugin).__name__), 80)
        candidate = Candidate(name=name)
        contribution = collect(plugin, name, _attempt_here)
        problems = [*contribution.problems, *self._taken(contribution)]
        if any(record.name == name for record in self._records):
            problems.append("there is another plugin of this name")
        if problems:
            raise PluginError(f"the plugin {name!r} cannot be added: {'; '.join(problems)}")
        record = self._take(candidate, contribution, 0.0)
        self._records.append(record)
        return record

    @property
    def plugins(self) -> tuple[PluginRecord, ...]:
        """All plugins that were found, those that failed or are disabled too."""
        return tuple(self._records)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind (``source``, ``retriever``, ``model`` ...), sorted."""
        return tuple(sorted(self._registrations[find_kind(kind).name]))

    def registrations(self, kind: str) -> tuple[Registration, ...]:
        """Return what is registered of a kind, sorted by name."""
        return tuple(
            registered for _, registered in sorted(self._registrations[find_kind(kind).name].items())
        )

    def text_settings(self, kind: str, name: str) -> dict[str, tuple[type, ...]]:
        """Return the settings that text can give, with their types; see `toolhaft.hooks.written`."""
        return text_settings(import_factory(self._find(find_kind(kind), name)))

    def source(self, name: str, **settings: Any) -> ToolSource:
        """Make the tool source of a scheme; raises as `make`."""
        return cast("ToolSource", self.make("source", name, settings))

    def retriever(self, reference: str, **settings: Any) -> Retriever:
        """Make a retriever from ``bm25`` or ``bm25?parent_boost=0``; raises as `make`."""
        return cast("Retriever", make_part(self, "retriever", reference, settings))

    def reranker(self, reference: str, **settings: Any) -> Reranker:
        """Make a re-ranker from its name, with settings behind it as a retriever's; raises as `make`."""
        return cast("Reranker", make_part(self, "reranker", reference, settings))

    def model(self, reference: str, **settings: Any) -> Model:
        """Make a model from a reference such as ``openai:gpt-5`` or ``http://host:8000/v1#qwen3``.

        What stands before the first colon picks the factory; the rest is handed to it as ``name``, an
        address whole.

        Raises:
            UsageError: The name is also among the settings; else raises as `make`.
        """
        scheme, colon, rest = reference.partition(":")
        if not colon and scheme not in self._registrations["model"]:
            guess = f"A model is named with its scheme, as in 'openai:{one_line(scheme, 60)}'"
            raise self._unknown(find_kind("model"), scheme, guess)
        name = reference if rest.startswith("//") else rest
        if name and "name" in settings:
            raise UsageError(f"the model {reference!r} has its name already", hint="Leave out name=")
        if name:
            settings["name"] = name
        return cast("Model", self.make("model", scheme, settings))

    def planner(self, name: str, **settings: Any) -> Planner:
        """Make a planner; ``NAME@n`` makes up to n independent tries of it. Raises as `make`."""
        base, at, count = name.partition("@")
        known = self._registrations["planner"]
        if at and base in known and name not in known and not (count.isascii() and count.isdigit()):
            hint = f"Several tries of a planner are named NAME@n, as in '{base}@3'"
            raise UnknownNameError("planner", name, hint=hint)
        if not count.isascii() or not count.isdigit() or name in known:
            return cast("Planner", self.make("planner", name, settings))
        from toolhaft.planners.tries import Tries

        return Tries(self.planner(base, **settings), int(count[:9]))

    def generator(self, name: str, **settings: Any) -> Generator:
        """Make a generator; raises as `make`."""
        return cast("Generator", self.make("generator", name, settings))

    def evaluator(self, name: str, **settings: Any) -> Evaluator:
        """Make an evaluator; raises as `make`."""
        return cast("Evaluator", self.make("evaluator", name, settings))

    def executor(self, name: str, **settings: Any) -> Executor:
        """Make an executor; raises as `make`."""
        return cast("Executor", self.make("executor", name, settings))

    def command(self, name: str) -> Any:
        """Return a plugin's command: a typer application or a function."""
        return self.make("command", name, {})

    def make(self, kind: str, name: str, settings: dict[str, Any]) -> Any:
        """Make a thing of any kind.

        Args:
            kind: ``source``, ``retriever``, ``model`` ...
            name: As registered.
            settings: Keyword arguments of the factory; for a parameter ``make_part`` see `with_parts`.

        Raises:
            UnknownNameError: Nothing of this kind is called so; the message says what may be meant and
                what to install.
            UsageError: The factory does not take the settings, or refuses them.
            PluginError: The plugin behind it is broken.
        """
        registration = self._find(find_kind(kind), name)
        factory = import_factory(registration)
        if not registration.kind.called:
            return factory
        settings = with_parts(factory, settings, partial(make_part, self))
        check_settings(registration, factory, settings)
        try:
            made = factory(**settings)
        except ToolhaftError:
            raise
        except (Exception, SystemExit) as error:  # a plugin's fault is the plugin's, and is named so
            raise broken_factory(registration, error) from error
        check_made(registration, made)
        return made

    def _find(self, kind: Kind, name: str) -> Registration:
        registration = self._registrations[kind.name].get(name)
        if registration is None:
            raise self._unknown(kind, name)
        return registration

    def _unknown(self, kind: Kind, name: str, guess: str = "") -> UnknownNameError:
        known = tuple(self._registrations[kind.name])
        remedy = of_another_kind(self, kind.name, name) or self.remedy(kind.name, name)
        nearest = nearest_names(name, known)
        error = UnknownNameError(
            kind.name, one_line(name, 80), known, hint=remedy or ("" if nearest else guess)
        )
        if kind.name == "model" and not remedy and (nearest or guess):  # what looks near may be far from it
            error.hint += f" (there are {', '.join(sorted(known)[:_SHOWN])})"
        return error

    def remedy(self, kind: str, name: str) -> str:
        """Return how to get what an installed or a first-party plugin would provide; empty if none would."""
        distribution = provider_of(kind, name)
        for record in self._records:
            if record.status == "ok" or not (
                record.name == name or distribution == record.distribution != ""
            ):
                continue
            if record.status == "disabled":
                return f"Its plugin is disabled: toolhaft plugins enable {record.name}"
            return f"The plugin {record.name!r} failed: {record.reason}"
        return f"It comes with a plugin: {install_command(distribution, kind, name)}" if distribution else ""

    def _load(self, candidate: Candidate, off: set[str], timeout: float) -> PluginRecord:
        problem = candidate.problem or self._refuse(candidate)
        if {normalise(candidate.name), normalise(candidate.distribution)} & off and not _is_core(candidate):
            return record_plugin(candidate, status="disabled")
        if problem:
            return record_plugin(candidate, reason=problem)
        if _is_core(candidate):  # ours: no thread, no limit
            return self._take(candidate, *_contribute(candidate, _attempt_here))
        try:
            outcome = finish_within(
                partial(_contribute, candidate, _attempt),
                timeout,
                label=f"toolhaft plugin {candidate.target}",
            )
        except TimeoutError as error:
            remedy = f"toolhaft plugins check {candidate.name} has it remembered"
            reason = f"its import or a hook hangs: {error}; {remedy}"
            return record_plugin(candidate, reason=reason, seconds=timeout)
        return self._take(candidate, *outcome)

    def _refuse(self, candidate: Candidate) -> str:
        """Return why a plugin is not imported at all, or nothing."""
        from toolhaft import __version__

        if any(record.name == candidate.name for record in self._records):
            other = next(record for record in self._records if record.name == candidate.name)
            return f"the distribution {other.distribution} has a plugin of this name already"
        for requirement in candidate.requirements:
            if requirement.name != PROJECT or requirement.extra:
                continue
            try:
                fits = satisfies(__version__, requirement.versions)
            except ValueError as error:
                return f"the version of Toolhaft that it requires cannot be read: {error}"
            if not fits:
                return f"it requires toolhaft{requirement.versions}; this is {__version__}"
        return ""

    def _taken(self, contribution: Contribution) -> list[str]:
        return [
            f"the {kind} {name!r} is taken by the plugin {self._registrations[kind][name].plugin!r}"
            for kind, factories in contribution.factories.items()
            for name in factories
            if name in self._registrations[kind]
        ]

    def _take(self, candidate: Candidate, contribution: Contribution, seconds: float) -> PluginRecord:
        problems = [*contribution.problems, *self._taken(contribution)]
        provides: dict[str, tuple[str, ...]] = {}
        for kind, factories in contribution.factories.items():
            registered = self._registrations[kind]
            fresh = {name: factory for name, factory in factories.items() if name not in registered}
            for name, factory in fresh.items():
                registered[name] = Registration(
                    kind=KINDS[kind],
                    name=name,
                    factory=factory,
                    plugin=candidate.name,
                    distribution=candidate.distribution,
                    requirements=candidate.requirements,
                )
            if fresh:
                provides[kind] = tuple(sorted(fresh))
        return record_plugin(candidate, reason="; ".join(problems), provides=provides, seconds=seconds)


def import_factory(registration: Registration) -> Callable[..., Any]:
    """Return the factory itself, imported if it was only named.

    Raises:
        PluginError: It cannot be imported, or is not callable.
    """
    if not isinstance(registration.factory, str):
        return registration.factory
    try:
        factory = find_target(registration.factory)
    except (Exception, SystemExit) as error:  # a plugin's module may raise anything
        raise broken_factory(registration, error) from error
    if not callable(factory):
        raise PluginError(f"the {registration.title} is not callable", where=registration.factory)
    return cast("Callable[..., Any]", factory)


def _contribute(candidate: Candidate, attempt: Attempt) -> tuple[Contribution, float]:
    """Import a plugin and call its hooks; whatever it does wrong comes back as a problem."""
    started = time.perf_counter()
    plugin, error = attempt(partial(find_target, candidate.target))
    if error is None:
        contribution, error = attempt(partial(collect, plugin, candidate.name, attempt))
    if error is not None:
        contribution = Contribution(problems=[import_problem(candidate, error)])
    return contribution, time.perf_counter() - started


def _attempt_here(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - set aside and named; Ctrl-C still ends us
        return None, error


def _attempt(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    # For a plugin's own thread: a KeyboardInterrupt there is raised by the plugin, for the user's
    # Ctrl-C arrives in the main thread.
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001 - see above
        return None, error


def _is_core(candidate: Candidate) -> bool:
    return candidate.target == BUILTIN.target and candidate.distribution == BUILTIN.distribution


@cache
def _default() -> Registry:
    return Registry.load()
