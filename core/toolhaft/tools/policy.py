"""What may be called: decided below the planner, outside the model's reach."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from toolhaft.tools.labels import CONFIG, USER
from toolhaft.types import ToolSpec

_SHOWN = 200
_PLAIN = re.compile(r"[\w.:/\[\]-]{1,200}")
Verdict = Literal["allow", "ask", "refuse"]
_GIVEN = frozenset({USER, CONFIG})
UNAPPROVED = "unapproved"
"""Key of a spec's metadata: why a lock does not know the tool as it is; such a tool is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A checked call on its way to a tool, as a policy and an approver see it.

    Attributes:
        spec: The tool.
        arguments: Valid arguments.
        labels: ``(argument, labels)``: where each argument comes from.
        context: Labels of everything that the model has read.
        private: The run holds private data.
        private_labels: Labels of the private sources, those left out that lie where the call goes anyway.
        untrusted: The run has read text that strangers may have written.
    """

    spec: ToolSpec
    arguments: dict[str, Any]
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    context: tuple[str, ...] = ()
    private: bool = False
    private_labels: frozenset[str] = frozenset()
    untrusted: bool = False

    def describe(self) -> str:
        """Return what a person is asked to approve, built from typed fields alone."""
        origin = f" at {', '.join(map(_plain, self.spec.hosts))}" if self.spec.hosts else ""
        lines = [f"{self.spec.name} ({self.spec.effect}){origin}"]
        sources = dict(self.labels)
        for name, value in self.arguments.items():
            shown = repr(value)
            if len(shown) > _SHOWN:
                shown = f"{shown[:_SHOWN]}... ({len(shown)} characters)"
            origins = ", ".join(map(_plain, sources.get(name, ())))
            lines.append(f"  {_plain(name)} = {shown}  [from {origins}]")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a call, and why."""

    verdict: Verdict
    reason: str


Approver = Callable[[CallRequest, Decision], "bool | Awaitable[bool]"]
"""Asks a person, or a rule of the embedder's own; true means the call is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Reads run; the rest needs leave.

    Attributes:
        allow: What may run without asking: effects (``write``, ``irreversible``) or tool names with
            ``*`` wildcards. An effect allows what it says only while the run has not both private data
            and untrusted text in it (the "rule of two"); a tool's name allows it always.
        deny: Effects or tool names that never run.

    Source: the rule of two is Meta's "Agents Rule of Two" (2025), after Willison's "lethal trifecta".
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def decide(self, request: CallRequest) -> Decision:
        """Return what to do with a call. ``ask`` without an approver is a refusal.

        A tool that changed since it was locked is refused whatever is allowed, until it is approved again.
        """
        spec = request.spec
        if spec.metadata.get(UNAPPROVED):
            return Decision(
                "refuse", f"{spec.name} is not approved: {_plain_reason(spec)} (tools lock shows it)"
            )
        if _matches(self.deny, spec):
            return Decision("refuse", f"{spec.name} is denied by the policy")
        if _names(self.allow, spec.name):
            return Decision("allow", f"{spec.name} is allowed by name")
        tainted = request.private and request.untrusted
        if spec.effect == "read":
            if tainted and spec.hosts and (leaked := _private_arguments(request)):
                return Decision(
                    "ask",
                    f"it would send {', '.join(leaked)} to {', '.join(spec.hosts)}; the run holds private "
                    "data and has read untrusted text",
                )
            return Decision("allow", "it only reads")
        if spec.effect in self.allow:
            if tainted:
                return Decision(
                    "ask",
                    f"it would {spec.effect} in a run that holds private data and has read untrusted text; "
                    f"allow={spec.effect!r} does not cover that, allow={spec.name!r} does",
                )
            return Decision("allow", f"{spec.effect} is allowed")
        return Decision("ask", f"its effect is {spec.effect}, which needs leave")


def _plain(name: str) -> str:
    """Return a name as it is where it looks like one; else quoted, so that it cannot pass for more."""
    return name if _PLAIN.fullmatch(name) else f"{name!r:.200}"


def policy(allow: str | Sequence[str] = (), deny: tuple[str, ...] = ()) -> Policy:
    """Make a policy from what callers write: one name, or several."""
    names = (allow,) if isinstance(allow, str) else tuple(allow)
    return Policy(allow=names, deny=tuple(deny))


def _matches(patterns: tuple[str, ...], spec: ToolSpec) -> bool:
    return spec.effect in patterns or _names(patterns, spec.name)


def _names(patterns: tuple[str, ...], name: str) -> bool:
    effects = ("read", "write", "irreversible")
    return any(pattern not in effects and fnmatchcase(name, pattern) for pattern in patterns)


def _plain_reason(spec: ToolSpec) -> str:
    return str(spec.metadata[UNAPPROVED])[:_SHOWN]


def _private_arguments(request: CallRequest) -> list[str]:
    """Return the arguments that may hold private data and were not given by the user."""
    private = request.private_labels - {f"tool:{request.spec.name}"}
    return [name for name, labels in request.labels if carries([(name, labels)], private)]


def carries(sources: Iterable[tuple[str, tuple[str, ...]]], private: Set[str]) -> bool:
    """Whether any of the labelled arguments may hold private data and was not given by the user."""
    return any(not _GIVEN.issuperset(labels) and not private.isdisjoint(labels) for _, labels in sources)
