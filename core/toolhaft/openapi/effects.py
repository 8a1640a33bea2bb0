"""What a call of an operation does: from its method, corrected by names and by what the document marks.

A correction upwards needs little; one downwards, from a write to a read, needs a path that ends in a search
and a name that says so too, with nothing that speaks against it, because an operation that is taken for a
read runs without leave. A mark in the document alone never lowers an effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.openapi import effect_words as vocabulary
from toolhaft.openapi.documents.document import as_dict, as_text
from toolhaft.openapi.effect_words import base, ends_in_variable, segments, stem, words
from toolhaft.types import Effect

READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
REPEATABLE = frozenset({"PUT", "DELETE"})
EFFECT = "x-toolhaft-effect"
"""Extension of an operation: ``read``, ``write`` or ``irreversible``. Where it is not less than what the
method stands for, it goes before all names; ``read`` for a method that writes counts only where the path says
the same."""

Rule = Literal["mark", "search", "act", "delete", "send", "pay"]
_ORDER: dict[Effect, int] = {"read": 0, "write": 1, "irreversible": 2}
_MAY_PAY = vocabulary.PAY | vocabulary.PAY_IF_MONEY | vocabulary.MONEY | vocabulary.MONEY_IF_FUNDS
_NO_ENDINGS = frozenset({"searches", "queries", "lists", "counts", "read", "reads", "return", "returns"})
"""What ends the paths of other operations, too: a message is marked as read by ``POST /messages/1/read``."""
_TOOL_MARKS = frozenset(("x-mcp", "x-mcp-tool", "x-mcp-annotations", "x-speakeasy-mcp", "x-tool-annotations"))
_READ_MARKS = ("x-read-only", "x-readonly", "x-readOnly", "x-safe", "readOnlyHint")
_DESTROY_MARKS = ("x-destructive", "destructiveHint")
_REPEAT_MARKS = ("x-idempotent", "idempotentHint")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectReading:
    """What is known of an operation's effect.

    Attributes:
        repeatable: It may be sent twice with the effect of once.
        rule: What corrected the effect that the method stands for; empty if nothing did.
        reason: The same for a person; empty if nothing did.
    """

    effect: Effect
    repeatable: bool
    rule: Rule | Literal[""] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Names:
    """An operation's names as words."""

    method: str
    path: tuple[str, ...]
    last: tuple[str, ...]
    before: tuple[str, ...]
    open: bool
    identifier: tuple[str, ...]
    summary: tuple[str, ...]
    written: str

    @property
    def edges(self) -> set[str]:
        """The first and the last word of the identifier, where verbs stand."""
        return {self.identifier[0], self.identifier[-1]} if self.identifier else set()

    @property
    def verb(self) -> str:
        """The first word of the summary."""
        return base(self.summary[0]) if self.summary else ""

    @property
    def described(self) -> set[str]:
        """The words of the description."""
        return set(words(self.written))

    @property
    def every(self) -> set[str]:
        """All the words of path, identifier and summary."""
        return {*self.path, *self.identifier, *self.summary}


def read_effect(method: str, path: str, node: Mapping[str, Any]) -> EffectReading:
    """Return what a call of an operation does, and why where it is not what the method says."""
    plain: Effect = "read" if method in READS else "write"
    names = _names(method, path, node)
    has_marks = any(key.startswith("x-") or key.endswith("Hint") for key in node)
    marked, mark = _marked(node, plain) if has_marks else (None, "")
    if plain == "write" and node.get(EFFECT) == "write":
        found: tuple[Effect, Rule | Literal[""], str] = ("write", "", "")
    elif marked is not None and _ORDER[marked] > _ORDER[plain]:
        found = (marked, "mark", f"the document says {mark}")
    else:
        found = _by_names(names, plain, mark if marked == "read" else "")
    effect, rule, reason = found
    raised = plain == "read" and effect != "read"
    repeatable = (effect == "read" or method in READS or method in REPEATABLE) and not raised
    said = _said(node, _REPEAT_MARKS) if has_marks else None
    if said is not None and not raised and method not in READS:
        repeatable = said or effect == "read"
    return EffectReading(effect=effect, repeatable=repeatable, rule=rule, reason=reason)


def reads_by_path(method: str, path: str) -> bool:
    """Whether a path alone allows that an operation only reads, though its method does not say so."""
    return method in READS or (method == "POST" and bool(_search(_names(method, path, {}))))


def _names(method: str, path: str, node: Mapping[str, Any]) -> _Names:
    parts = segments(path)
    identifier = tuple(words(as_text(node.get("operationId"))))
    before = parts[-2] if len(parts) > 1 else ""
    return _Names(
        method=method,
        path=tuple(word for part in parts for word in words(part)),
        last=tuple(words(_stem(parts[-1]))) if parts else (),
        before=tuple(words(before)),
        open=ends_in_variable(path),
        identifier=identifier,
        summary=tuple(words(as_text(node.get("summary")))),
        written=as_text(node.get("description")),
    )


def _stem(segment: str) -> str:
    """Return the last part of a segment with dots, without a format: ``chat.delete``, ``Calls.json``."""
    for ending in (".json", ".xml"):
        segment = segment.removesuffix(ending)
    return segment.rpartition(".")[2]


def _by_names(names: _Names, plain: Effect, mark: str) -> tuple[Effect, Rule | Literal[""], str]:
    if plain == "read":
        reason = _acts(names)
        return ("write", "act", reason) if reason else (plain, "", "")
    if reason := _destroys(names):
        return "irreversible", "delete", reason
    if names.method != "DELETE" and not names.every & vocabulary.UNREAL:
        if reason := _pays(names):
            return "irreversible", "pay", reason
        if reason := _sends(names):
            return "irreversible", "send", reason
    if names.method == "POST" and (reason := _only_reads(names, mark)):
        return "read", "search", reason
    return plain, "", ""


def _search(names: _Names) -> str:
    """Return how a path ends, if it ends in a search."""
    last = [word for word in names.last if word not in ("bulk", "batch", "multi", "by", "id", "ids")]
    if names.open or not last or set(names.last) & vocabulary.CHANGE:
        return ""
    nouns = vocabulary.READ - _NO_ENDINGS
    first = last[0] in nouns and (len(last) == 1 or last[0] in ("get", "list", "search", "find", "count"))
    ends = last[-1] in ("search", "count", "lookup") and len(last) <= 3
    if last == ["query"] and len(names.path) < 2:
        return ""
    return "/" + "-".join(names.last) if first or ends else ""


def _only_reads(names: _Names, mark: str) -> str:
    place = _search(names)
    if not place or names.every & vocabulary.CHANGE or _begins_to_change(names):
        return ""
    if (names.every | names.described) & vocabulary.PROGRAM:
        return ""
    if names.edges & vocabulary.READ:
        voice = "its operationId"
    elif names.summary and (
        {names.summary[0], names.verb} & vocabulary.READ or names.summary[:2] == ("bulk", "get")
    ):
        voice = "its summary"
    elif {"search", "query"} & set(names.identifier):
        voice = "its operationId"
    else:
        voice = mark
    return f"the path ends in {place} and {voice} says that it reads" if voice else ""


def _begins_to_change(names: _Names) -> bool:
    """Whether a name or the description begins with a change, or the summary that one comes with it."""
    first = {*names.last[:1], *names.identifier[:1], *names.summary[:1], *words(names.written)[:1]}
    if {word for one in first for word in (one, base(one))} & vocabulary.CHANGE_FIRST:
        return True
    means = zip(names.summary, names.summary[1:], strict=False)
    return any(before in ("by", "and") and stem(word) in vocabulary.CHANGE for before, word in means)


def _acts(names: _Names) -> str:
    if names.method != "GET" or names.edges & vocabulary.READ or names.verb in vocabulary.LOOK:
        return ""
    voices = [
        text
        for text, said in (
            ("its operationId", bool(names.identifier[:1] and names.identifier[0] in vocabulary.ACT)),
            ("its summary", names.verb in vocabulary.ACT),
            ("its path", bool(names.last[:1] and not names.open and names.last[0] in vocabulary.ACT)),
        )
        if said
    ]
    ends = names.identifier[-1:] and names.identifier[-1] in vocabulary.ACT and "its path" in voices
    if len(voices) + bool(ends) < 2:
        return ""
    return f"{_both(voices)} that it changes something"


def _both(voices: list[str]) -> str:
    return f"{' and '.join(voices)} {'say' if len(voices) > 1 else 'says'}"


def _destroys(names: _Names) -> str:
    summary = names.verb in vocabulary.DESTROY or bool(
        {base(word) for word in names.summary[:3]} & vocabulary.DESTROY
    )
    identifier = bool({*names.identifier[:1], *names.identifier[-1:]} & vocabulary.DESTROY)
    if names.method == "DELETE":
        identifier = bool(set(names.identifier) & vocabulary.DESTROY)
        if names.verb in vocabulary.UNDONE or not (summary or identifier):
            return ""
        return "it is called a deletion"
    if names.verb in vocabulary.KEEP:
        return ""
    path = bool(set(names.last) & vocabulary.DESTROY) and not names.open
    voices = [
        text
        for text, said in (
            ("its path", path),
            ("its operationId", identifier),
            ("its summary", summary),
        )
        if said
    ]
    return f"{_both(voices)} that it deletes" if len(voices) > 1 else ""


def _sends(names: _Names) -> str:
    if names.every & vocabulary.RECORDED or "search" in names.last:
        return ""
    ends = set(names.identifier[-1:]) & vocabulary.SEND_LAST
    if names.verb in vocabulary.SEND or set(names.identifier[:1]) & vocabulary.SEND or ends:
        return "it is called a sending"
    if names.last == ("notify",):
        return "its path ends in /notify"
    if names.open or not names.last or names.last[-1] not in vocabulary.SENT or not _makes(names):
        return ""
    if names.every & vocabulary.KEPT or not set(names.last[:-1]) <= vocabulary.SENT_AS | vocabulary.MAKE:
        return ""
    kind = base(names.last[-1])
    if names.verb == "add" and kind != "message":
        return ""
    said = {*names.identifier[-1:], *names.summary} & vocabulary.SENT
    return f"it makes a new {kind}" if said else ""


def _makes(names: _Names) -> bool:
    """Whether an operation is called a creation: by its summary, else by its identifier."""
    if names.summary:
        return names.verb in vocabulary.MAKE or names.summary[0] in vocabulary.MAKE
    return bool(names.edges & vocabulary.MAKE)


def _pays(names: _Names) -> str:
    if not names.every & _MAY_PAY:
        return ""
    funds = bool((names.every | names.described) & vocabulary.FUNDS)
    money = vocabulary.MONEY | (vocabulary.MONEY_IF_FUNDS if funds else frozenset())
    if names.method == "POST" and len(names.last) == 1 and not names.open:
        if names.last[0] in vocabulary.PAY - {"purchase", "refunds"}:
            return f"its path ends in /{names.last[0]}"
        if names.last[0] in vocabulary.PAY_IF_MONEY and set(names.path[:-1]) & money:
            return f"its path ends in /{names.last[0]} of what is paid"
    verbs = vocabulary.PAY - {"refunds", "payout", "pays"}
    other = names.verb in vocabulary.ACT | vocabulary.MAKE | vocabulary.LOOK
    if names.verb in verbs or (names.identifier[:1] and names.identifier[0] in verbs and not other):
        return "it is called a payment"
    place = names.before if names.last[-1:] == ("create",) else names.last
    nouns = vocabulary.MONEY | ({"transfer", "transfers"} if funds else set())
    if names.open or not place or not _makes(names) or place[-1] not in nouns:
        return ""
    named = [word for word in names.identifier if word not in vocabulary.MAKE]
    return f"it makes a new {base(place[-1])}" if not named or named[-1] in nouns else ""


def _marked(node: Mapping[str, Any], plain: Effect) -> tuple[Effect | None, str]:
    """Return what the document's marks say of the effect, the most careful first, and which says it."""
    own = node.get(EFFECT)
    if own in ("write", "irreversible"):
        return own, f"{EFFECT}: {own}"
    for name in _DESTROY_MARKS:
        if _said(node, (name,)) is True and plain != "read":
            return "irreversible", f"{name}: true"
    if node.get("x-openai-isConsequential") is True:
        return "write", "x-openai-isConsequential: true"
    if node.get("x-kubernetes-action") == "connect":
        return "write", "x-kubernetes-action: connect"
    for name in _READ_MARKS:
        said = _said(node, (name,))
        if said is not None:
            return ("read" if said else "write"), f"{name}: {str(said).lower()}"
    if own == "read":
        return "read", f"{EFFECT}: read"
    if node.get("x-side-effects") in ("none", False):
        return "read", "x-side-effects: none"
    return None, ""


def _said(node: Mapping[str, Any], names: tuple[str, ...]) -> bool | None:
    """Return what a mark says, wherever documents put the marks of tools."""
    places: list[Mapping[str, Any]] = [node]
    for key in sorted(_TOOL_MARKS & node.keys()):
        tool = as_dict(node.get(key))
        places += [tool, as_dict(tool.get("annotations"))]
    for place in places:
        for name in names:
            if isinstance(place.get(name), bool):
                return bool(place[name])
    return None


def is_key_parameter(name: str, description: Any) -> bool:
    """Whether a header carries the key by which an API knows that a call came before."""
    plain = name.lower().replace("_", "-")
    if "idempoten" in plain and plain.rpartition("-")[2] in ("key", "token", "id"):
        return True
    told = "idempoten" in as_text(description)[:2000].lower()
    return told and plain.endswith(("-request-id", "-request-token", "-client-token", "-key"))
