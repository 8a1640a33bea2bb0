"""Every error that Toolhaft raises.

    ToolhaftError                what, where, hint, code; the programmer or the user reads it
    ├── UsageError               a name, setting or argument that the caller gave (exit code 2)
    │   ├── UnknownNameError     no such tool, model, planner, scheme ...; carries the nearest matches
    │   └── ConfigError          a setting, key or environment variable is missing or malformed
    ├── SpecError                a document or tool record cannot be read as what it claims to be
    ├── FormatError              a stored record, catalog or recording of an unknown or damaged format
    ├── PluginError              an installed plugin is broken
    ├── ModelError               the language model failed, refused, or answered nonsense
    ├── ReplayMissError          a recording does not hold what was asked for
    ├── BudgetExceededError      the next thing would cost more than is left
    ├── ApprovalNeededError      a person must decide (exit code 4)
    ├── JournalError             the journal of a run cannot be opened, read or written
    │   └── JournalMismatchError what is asked now is not what the journal recorded
    ├── ToolCrashError           a tool raised something else, or returned what is not JSON: a bug in it
    └── ToolError                becomes an observation: the model reads it and may try something else
        ├── UnknownToolError     the model called a tool that is not offered
        ├── InvalidArgumentsError  the arguments break the tool's JSON Schema
        ├── RefusedError         the policy or the approver said no
        ├── ToolTimeoutError     the tool took longer than its limit
        ├── UncertainError       a write was under way when an earlier process ended; it is not made again
        └── HTTPError            an exchange with a server failed
            ├── EgressError      the address is not one this run may speak to
            ├── UnreachableError no connection, or none that TLS accepts
            ├── BrokenAnswerError  the answer broke off or is not HTTP
            ├── LimitError       the answer is larger, longer or slower than the limits
            ├── RateLimitedError the server asked to wait longer than we may
            ├── AuthError        no token can be had, or a login is needed first
            └── StatusError      a complete answer with status 400 or above

``ToolError`` is for the model; anything else is for the programmer and propagates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

EffectState = Literal["none", "done", "uncertain"]
_COMPARED = 200
"""Names that are compared letter by letter with an unknown one."""


class ToolhaftError(Exception):
    """An error that says what happened, where, and what to do.

    Args:
        what: One sentence without a full stop: what is wrong.
        where: File and JSON pointer, file and line, URL, or name of the thing; empty if there is none.
        hint: What the reader can do about it.
        retryable: Whether the same thing may succeed when tried again.
        effect: Whether something was changed outside: ``none``, ``done``, or ``uncertain`` when the
            answer to a write was lost.
        code: Overrides the class's stable code.
        details: More facts for programs, JSON values only.
    """

    code: str = "E-FAILED"
    exit_code: ClassVar[int] = 1
    trajectory: Any = None
    """What a rollout had done when this error ended it, a `toolhaft.types.Trajectory`."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        retryable: bool = False,
        effect: EffectState = "none",
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.retryable = retryable
        self.effect: EffectState = effect
        self.details: dict[str, Any] = dict(details or {})
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        # Executors send errors between processes; the constructors of subclasses take other arguments.
        return _restore, (type(self), self.what), self.__dict__

    def to_dict(self) -> dict[str, Any]:
        """Return the error as JSON values, as journals, traces and ``--json`` show it."""
        fields: dict[str, Any] = {"code": self.code, "what": self.what}
        if self.where:
            fields["where"] = self.where
        if self.hint:
            fields["hint"] = self.hint
        if self.retryable:
            fields["retryable"] = True
        if self.effect != "none":
            fields["effect"] = self.effect
        if self.details:
            fields["details"] = self.details
        return fields


class UsageError(ToolhaftError):
    """What the caller asked for makes no sense as given."""

    code = "E-USAGE"
    exit_code = 2


class UnknownNameError(UsageError):
    """A name that nothing answers to.

    Args:
        kind: What was looked for: ``tool``, ``model``, ``planner`` ...
        name: The name given.
        known: The names there are; the nearest are shown.
        hint: Replaces the list of nearest names.
        where: See `ToolhaftError`.
    """

    code = "E-UNKNOWN-NAME"

    def __init__(
        self, kind: str, name: str, known: Sequence[str] = (), *, hint: str = "", where: str = ""
    ) -> None:
        nearest = nearest_names(name, known)
        if not hint:
            if nearest:
                hint = f"Did you mean {' or '.join(repr(n) for n in nearest)}?"
            elif known:
                shown = ", ".join(sorted(known)[:12])
                hint = f"Known: {shown}{', ...' if len(known) > 12 else ''}"
        super().__init__(
            f"unknown {kind} {name!r}",
            where=where,
            hint=hint,
            details={"kind": kind, "name": name, "nearest": nearest},
        )
        self.kind = kind
        self.name = name
        self.nearest = nearest


class ConfigError(UsageError):
    """A setting, key or environment variable is missing or malformed."""

    code = "E-CONFIG"


class SpecError(ToolhaftError):
    """A document or tool record cannot be read as what it claims to be."""

    code = "E-SPEC"


class FormatError(ToolhaftError):
    """A stored record is of a format this version does not know, or is damaged."""

    code = "E-FORMAT"


class PluginError(ToolhaftError):
    """An installed plugin is broken; the rest works without it."""

    code = "E-PLUGIN"


class ModelError(ToolhaftError):
    """The language model's endpoint failed, refused, or answered nonsense."""

    code = "E-MODEL"


class ReplayMissError(ToolhaftError):
    """A recording does not hold what was asked for; nothing else is tried in its place."""

    code = "E-REPLAY-MISS"


class BudgetExceededError(ToolhaftError):
    """The next thing would cost more than is left; it was not started.

    Args:
        quantity: The field of `toolhaft.types.Budget` that is spent.
        limit: Its value.
    """

    code = "E-BUDGET"

    def __init__(self, quantity: str, limit: float) -> None:
        super().__init__(
            f"the budget of {limit:g} {quantity.replace('_', ' ')} is spent",
            hint=f"Allow more with budget={{'{quantity}': n}}, or --budget {quantity}=n in the shell",
            details={"quantity": quantity, "limit": limit},
        )
        self.quantity = quantity


class ApprovalNeededError(ToolhaftError):
    """A person must decide before this can go on."""

    code = "E-APPROVAL"
    exit_code = 4


class JournalError(ToolhaftError):
    """The journal of a run cannot be opened, read or written.

    ``code`` says why: ``E-JOURNAL-PLACE`` (a file system that cannot hold it), ``E-JOURNAL-DISK`` (full,
    read-only or failing), ``E-JOURNAL-DAMAGED``, ``E-JOURNAL-FORMAT`` (a file of something else),
    ``E-JOURNAL-VERSION`` (of a newer Toolhaft), ``E-JOURNAL-HELD`` (another process runs it),
    ``E-JOURNAL-CHANGED`` (another file or other settings than it was begun with), ``E-JOURNAL-LEASE``
    (another process took the job over), ``E-JOURNAL-MISSING`` (there is none, or it is gone).
    """

    code = "E-JOURNAL"


class JournalMismatchError(JournalError):
    """What is asked now is not what the journal recorded at this point; the two are never mixed.

    ``details['changed']`` names the parts that differ.
    """

    code = "E-JOURNAL-MISMATCH"


class ToolCrashError(ToolhaftError):
    """A tool raised something that is not a `ToolError`: a bug in the tool, for its author to see."""

    code = "E-TOOL-CRASH"


class ToolError(ToolhaftError):
    """A tool call failed in a way that the model should read about.

    Raise it in a tool for what the model can do something about. ``exchanges`` holds the HTTP exchanges
    that were made before the failure, for the record.
    """

    code = "E-TOOL"

    def __init__(self, what: str, *, exchanges: Sequence[Any] = (), **fields: Any) -> None:
        super().__init__(what, **fields)
        self.exchanges: tuple[Any, ...] = tuple(exchanges)


class UnknownToolError(ToolError):
    """The model called a tool that is not offered; it is never guessed which one was meant."""

    code = "E-TOOL-UNKNOWN"

    def __init__(self, name: str, offered: Sequence[str]) -> None:
        nearest = nearest_names(name, offered)
        hint = f"The nearest offered tools are: {', '.join(nearest)}" if nearest else "Use an offered tool"
        super().__init__(f"there is no tool named {name[:80]!r}", hint=hint, details={"nearest": nearest})


class InvalidArgumentsError(ToolError):
    """The arguments break the tool's JSON Schema.

    ``details`` holds ``pointer`` (JSON pointer of the bad value) and ``schema`` (the fragment broken).
    """

    code = "E-TOOL-ARGUMENTS"


class RefusedError(ToolError):
    """The policy or the approver refused the call; it was not made."""

    code = "E-TOOL-REFUSED"


class ToolTimeoutError(ToolError):
    """The tool took longer than its limit."""

    code = "E-TOOL-TIMEOUT"


class UncertainError(ToolError):
    """A write was under way when an earlier process ended: it may or may not have been carried out."""

    code = "E-UNCERTAIN"


class HTTPError(ToolError):
    """An exchange with a server failed."""

    code = "E-HTTP"


class EgressError(HTTPError):
    """The address is not one that this run may speak to; no connection was made."""

    code = "E-HTTP-EGRESS"


class UnreachableError(HTTPError):
    """No connection could be made, or none that TLS accepts."""

    code = "E-HTTP-UNREACHABLE"


class BrokenAnswerError(HTTPError):
    """The answer broke off, is not HTTP, or does not decode."""

    code = "E-HTTP-BROKEN"


class LimitError(HTTPError):
    """The answer is larger, longer or slower than the limits allow."""

    code = "E-HTTP-LIMIT"


class RateLimitedError(HTTPError):
    """The server asked to wait for longer than the run may; ``details['retry_after']`` is in seconds."""

    code = "E-HTTP-RATE"


class AuthError(HTTPError):
    """The caller cannot be authenticated: no token can be had, or a person has to log in first.

    ``details['scheme']`` names the security scheme.
    """

    code = "E-AUTH"


class StatusError(HTTPError):
    """A complete answer with status 400 or above.

    ``details`` holds ``status`` and, where the body was problem+json, its ``title`` and ``detail``.
    """

    code = "E-HTTP-STATUS"


def nearest_names(name: str, known: Sequence[str], n: int = 3) -> list[str]:
    """Return up to ``n`` of ``known`` that look like ``name``, best first."""
    import difflib

    wanted = name[:80].casefold()
    by_folded = {candidate.casefold(): candidate for candidate in known}
    likely = list(by_folded) if len(by_folded) <= _COMPARED else _likely(wanted, by_folded)
    found = difflib.get_close_matches(wanted, likely, n=n, cutoff=0.6)
    return [by_folded[candidate] for candidate in found]


def _likely(wanted: str, candidates: Iterable[str]) -> list[str]:
    """Return the candidates that share most pairs of letters: comparing tens of thousands takes seconds."""
    import heapq

    pairs = {wanted[i : i + 2] for i in range(len(wanted) - 1)}
    return heapq.nlargest(
        _COMPARED,
        candidates,
        key=lambda candidate: sum(pair in candidate for pair in pairs) / (20 + len(candidate)),
    )


def _restore(kind: type[ToolhaftError], what: str) -> ToolhaftError:
    error = kind.__new__(kind, what)
    Exception.__init__(error, what)
    return error
