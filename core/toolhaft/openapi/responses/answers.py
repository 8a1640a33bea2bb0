"""What a document promises of an operation's answers, and whether an answer keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.responses.kinds import kind_of_type
from toolhaft.tools.schema import compile_schema, nesting
from toolhaft.types.pointer import json_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolhaft.openapi.responses.parsing import Parsed

_LARGEST = 2_000_000
"""Bytes of a body that is checked."""
_DEEPEST = 200
_MOST_EVENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAnswer:
    """What the document says of the answers of one status.

    Attributes:
        status: ``200``, a range such as ``2XX``, or ``default``.
        media_types: In lower case, without parameters; empty for an answer without a body.
        schema: JSON Schema of its JSON, or of as much of it as is kept; None if nothing is known, or if
            ``main`` is set.
        main: The schema is ``ToolSpec.returns``.
        each: The schema is that of every event or line.
    """

    status: str
    media_types: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    main: bool = False
    each: bool = False


def answer_for(status: int, answers: Sequence[WireAnswer]) -> WireAnswer | None:
    """Return what is said of a status: by itself, else of its range, else by default."""
    for wanted in (str(status), f"{status // 100}XX", "DEFAULT"):
        for answer in answers:
            if answer.status.upper() == wanted:
                return answer
    return None


class AnswerChecker:
    """Holds one tool's answers against what its document promises; compiled schemas are kept.

    Args:
        answers: What it promises.
        returns: ``ToolSpec.returns``.
    """

    def __init__(self, answers: Sequence[WireAnswer], returns: dict[str, Any] | None) -> None:
        self._answers = answers
        self._returns = returns
        self._compiled: dict[str, Any] = {}

    def check(self, parsed: Parsed, status: int, size: int) -> str:
        """Return one line that says where an answer differs, or nothing.

        Args:
            parsed: The answer's value.
            status: Its status.
            size: Bytes of its body.
        """
        answer = answer_for(status, self._answers)
        if answer is None:
            return ""
        promised = {kind_of_type(media) for media in answer.media_types if "*" not in media}
        if parsed.kind == "empty":
            said = answer.media_types[0] if answer.media_types else ""
            empty = status in (204, 205, 304) or not promised or "*/*" in answer.media_types
            return "" if empty else f"The answer is empty; the document promises {said[:80]}"
        any_kind = any("*" in media for media in answer.media_types)
        if parsed.kind == "html" and promised and not any_kind and "html" not in promised:
            return f"The answer is a web page; the document promises {answer.media_types[0][:80]}"
        if parsed.kind not in ("json", "lines", "events") or size > _LARGEST:
            return ""
        streamed = parsed.kind != "json"
        if streamed != answer.each:
            return ""
        values = parsed.value[:_MOST_EVENTS] if streamed else [parsed.value]
        return self._mismatch(values, answer, numbered=streamed)

    def _mismatch(self, values: list[Any], answer: WireAnswer, *, numbered: bool) -> str:
        validator = self._validator(answer)
        if validator is None or nesting(values, _DEEPEST) > _DEEPEST:
            return ""
        import jsonschema_rs

        for position, value in enumerate(values):
            try:
                validator.validate(value)
            except jsonschema_rs.ValidationError as error:
                place = json_pointer([*([position] if numbered else []), *error.instance_path])
                where = f" at {clean_text(place, 120)}" if place else ""
                return f"The answer differs from the document{where}: {clean_text(error.message, 200)}"
            except ValueError:  # a value that JSON has not, such as a number of 5,000 digits
                return ""
        return ""

    def _validator(self, answer: WireAnswer) -> Any:
        schema = self._returns if answer.main else answer.schema
        if not schema:
            return None
        if answer.status not in self._compiled:
            try:
                self._compiled[answer.status] = compile_schema(schema, bounded=True)
            except SpecError:
                self._compiled[answer.status] = None
        return self._compiled[answer.status]
