"""What a tool returned or raised, made fit for the record and a model's eyes: JSON, redacted, bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from toolhaft.errors import ToolCrashError, ToolError
from toolhaft.secrets import SecretStore
from toolhaft.tools.base import ToolResult
from toolhaft.tools.context import RunContext
from toolhaft.tools.handles import PLACE
from toolhaft.tools.schema import nesting
from toolhaft.tools.shortening import compact_length, shorten_json
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    Derivation,
    ErrorInfo,
    Exchange,
    JSONPart,
    Part,
    TextPart,
    ToolSpec,
)

DEEPEST = 200
"""Levels of a JSON value that are kept as JSON; a deeper one becomes text, which every reader can take."""
_SAID = 4000
_NAME = 200
"""Characters of a file's name or media type that are kept."""
_MOST_NOTES = 8
_LONGEST_NOTE = 400
_SPARED = len(PLACE) + 64 - len("img-1")
"""Characters by which an artifact's handle is shorter than what stands in its place until it has one."""


def contents(
    result: Any, spec: ToolSpec, context: RunContext, made_by: Derivation | None = None
) -> dict[str, Any]:
    """Return the fields of an `Observation` that say what a call returned.

    Args:
        result: What ``Tool.call`` returned.
        spec: The tool.
        context: Redaction filter, size cap, artifact store.
        made_by: The call; its artifacts are recorded as made by it.

    Raises:
        ToolCrashError: The result is not JSON, or has an artifact that is not kept; that is for the
            tool's author.
    """
    if not isinstance(result, ToolResult):
        result = ToolResult(value=result)
    parts = result.parts or (_part(result.value, spec, context),)
    kept, cut = _bounded(parts, spec, context)
    return {
        "parts": tuple(_derived(part, spec, context, made_by) for part in kept),
        "notes": _notes(result, cut, context),
        "truncated": cut,
        "provenance": result.provenance,
        "exchanges": redact_exchanges(result.exchanges, context.secrets),
    }


def _notes(result: ToolResult, cut: int, context: RunContext) -> tuple[str, ...]:
    """Return what a tool adds to its result, a short line each; how to get the rest only if it was cut."""
    said = [*result.notes[:_MOST_NOTES], *([result.rest] if cut and result.rest else ())]
    said += [f"{cut} more characters were cut"] if cut else []
    return tuple(_line(note, context, _LONGEST_NOTE) for note in said)


def error_info(error: ToolError, secrets: SecretStore) -> ErrorInfo:
    """Return an error as a record: redacted, of bounded size, its details JSON values."""
    fields: dict[str, Any] = secrets.redact_value(error.to_dict())
    for name in ("what", "where", "hint"):
        if name in fields:
            fields[name] = _storable(_cut(str(fields[name]), _SAID))
    if "details" in fields:
        fields["details"] = _details(fields["details"])
    return ErrorInfo(**fields)


def _details(given: Any) -> dict[str, Any]:
    """Return an error's details as JSON values; none where they are too long or no JSON."""
    try:
        text = _storable(_json_text(given))
    except (TypeError, ValueError, RecursionError):
        return {}
    found = json.loads(text, parse_constant=lambda _: None) if len(text) <= _SAID else {}
    return found if isinstance(found, dict) and nesting(found, DEEPEST) <= DEEPEST else {}


def redact_exchanges(exchanges: Iterable[Exchange], secrets: SecretStore) -> tuple[Exchange, ...]:
    """Return HTTP exchanges without any known secret."""
    if not secrets.knows_any:
        return tuple(exchanges)
    redact = secrets.redact
    return tuple(
        replace(
            exchange,
            url=redact(exchange.url),
            request_body=redact(exchange.request_body),
            response_body=redact(exchange.response_body),
            request_headers=tuple((name, redact(value)) for name, value in exchange.request_headers),
            response_headers=tuple((name, redact(value)) for name, value in exchange.response_headers),
            problem=redact(exchange.problem),
        )
        for exchange in exchanges
    )


def _part(value: Any, spec: ToolSpec, context: RunContext) -> Part:
    if isinstance(value, str):
        return TextPart(value)
    if isinstance(value, Artifact):
        return ArtifactPart(value)
    if isinstance(value, bytes | bytearray):
        if context.artifacts is None:
            return TextPart(f"[{len(value)} bytes; this run keeps no artifacts]")
        kept = context.artifacts.put(
            bytes(value), media_type="application/octet-stream", name=f"{spec.name}.bin"
        )
        return ArtifactPart(kept)
    return JSONPart(value)


def _derived(part: Part, spec: ToolSpec, context: RunContext, made_by: Derivation | None) -> Part:
    """Return a part whose artifact says where it came from; what a tool says of that is not believed."""
    if not isinstance(part, ArtifactPart):
        return part
    artifact = part.artifact
    if context.artifacts is not None and artifact not in context.artifacts:
        raise ToolCrashError(
            f"the tool {spec.name!r} returned an artifact whose bytes are not kept",
            where=spec.source,
            hint="Return what context.artifacts.put returned",
            effect="none" if spec.effect == "read" else "done",
        )
    return ArtifactPart(replace(artifact, made_by=made_by))


def _line(text: str, context: RunContext, longest: int = _NAME) -> str:
    """Return what a tool says of a file, or of its result, as one short line."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(text)[:longest])
    return _storable(context.secrets.redact(shown))


class _Room:
    """What is left of the cap on the characters that a model is shown of one result.

    Attributes:
        left: Characters.
        reserved: Those of them that artifacts do not get.
        cut: Characters that found no room.
        artifacts: Images and files that found room, by id, described as the record has them.
        left_out: How many artifacts found none.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.left = context.result_cap
        self.reserved = 0
        self.cut = 0
        self.artifacts: dict[str, Artifact] = {}
        self.left_out = 0

    def admit(self, artifact: Artifact) -> bool:
        """Return whether an artifact is shown; the line that tells of it takes its room once."""
        if artifact.id in self.artifacts:
            return True
        said = replace(
            artifact,
            media_type=_line(artifact.media_type, self._context),
            name=_line(artifact.name, self._context),
            handle="",
        )
        length = len(said.line())
        if length > self.left - self.reserved:
            self.left_out += 1
            return False
        self.left -= length
        self.artifacts[artifact.id] = said
        return True

    def fit(self, text: str, length: int) -> str | None:
        """Return None if a text of this shown length fits, else as much of it as does."""
        left, self.left = self.left, max(0, self.left - length)
        if length <= left:
            return None
        found = text[:left]
        place = found.rfind(PLACE, max(0, left - len(PLACE) - 64))
        found = found[:place] if place >= 0 else found  # half an artifact's name is no use to anybody
        self.cut += len(text) - len(found)
        return found

    def fit_value(self, part: JSONPart, text: str, length: int) -> JSONPart:
        """Return a JSON part, or as much of its structure as there is room for.

        Args:
            part: Of its own, nested at most 200 levels deep.
            text: Its JSON.
            length: How long that is as it is shown.
        """
        left, self.left = self.left, max(0, self.left - length)
        if length <= left:
            return part
        short = shorten_json(part.value, left, whole=PLACE)
        self.cut += max(1, len(text) - compact_length(short))
        return JSONPart(short)


def _bounded(parts: Iterable[Part], spec: ToolSpec, context: RunContext) -> tuple[tuple[Part, ...], int]:
    """Redact the parts and cut them to the cap in all; return them and how many characters were cut."""
    kept: list[Part] = []
    room = _Room(context)
    alone: set[str] = set()
    for part in parts:
        if isinstance(part, ArtifactPart):
            if part.artifact.id not in alone and room.admit(part.artifact):
                alone.add(part.artifact.id)
                kept.append(ArtifactPart(room.artifacts[part.artifact.id]))
            continue
        if isinstance(part, TextPart):
            text = _storable(context.secrets.redact(part.text))
            shown: Part = TextPart(text)
        else:
            room.reserved = room.left // 2
            shown, text = _json_part(context.secrets.redact_value(part.value), spec, room)
            room.reserved = 0
        had_room = room.left > 0
        length = len(text) - _SPARED * text.count(PLACE) if room.artifacts else len(text)
        if isinstance(shown, JSONPart):
            shown = room.fit_value(shown, text, length)
        elif (cut := room.fit(text, length)) is not None:
            shown = TextPart(cut)
        if had_room or not text:
            kept.append(shown)
    if room.left_out:
        kept.append(TextPart(f"[{room.left_out} more images or files are left out]"))
    kept.extend(ArtifactPart(found) for id, found in room.artifacts.items() if id not in alone)
    return tuple(kept), room.cut


def _json_part(value: Any, spec: ToolSpec, room: _Room) -> tuple[Part, str]:
    """Return a JSON value of its own, which no tool changes afterwards, and its text.

    A name that `Handles.settle` knows takes the place of an artifact in it, null that of one without room.
    """
    import orjson

    def written(item: Any) -> Any:
        if isinstance(item, Artifact):
            return PLACE + item.id if room.admit(item) else None
        if is_dataclass(item) and not isinstance(item, type):
            return {field.name: getattr(item, field.name) for field in fields(item)}
        raise TypeError(f"a {type(item).__name__} is not JSON")

    try:
        data = orjson.dumps(value, default=written, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        if data.count(b"[") + data.count(b"{") > DEEPEST and nesting(orjson.loads(data), DEEPEST) > DEEPEST:
            return TextPart(data.decode()), data.decode()
        return JSONPart(orjson.loads(data)), data.decode()
    except TypeError:
        pass
    try:
        text = _storable(_json_text(value, written))
    except (TypeError, ValueError, RecursionError):
        raise not_json(value, spec) from None
    own = json.loads(text, parse_constant=lambda _: None)
    return (TextPart(text) if nesting(own, DEEPEST) > DEEPEST else JSONPart(own)), text


def not_json(value: Any, spec: ToolSpec) -> ToolCrashError:
    """Return the error for a result that cannot be recorded."""
    return ToolCrashError(
        f"the tool {spec.name!r} returned a {type(value).__name__}, which is not JSON",
        where=spec.source,
        hint="Return JSON values, text, bytes, dataclasses or pydantic models",
        effect="none" if spec.effect == "read" else "done",
    )


def _json_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Return JSON that orjson cannot make: integers beyond 64 bits, lone surrogates, deep nesting."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default)


def _storable(text: str) -> str:
    """Replace lone surrogates, which no file can hold."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _cut(text: str, cap: int) -> str:
    return text if len(text) <= cap else f"{text[:cap]} [{len(text) - cap} more characters were cut]"
