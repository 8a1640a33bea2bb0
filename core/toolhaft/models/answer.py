"""Answers of the chat-completions format: every field is checked, and nonsense is one clear error."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import ModelError
from toolhaft.models.parsing import NotJSONError, json_type, read_arguments, read_json
from toolhaft.text import clean
from toolhaft.types import Completion, Finish, ToolCall, Usage

MOST_CALLS = 128
"""Calls of one message that are read."""
FORMAT_HINT = "The endpoint must speak OpenAI's chat-completions format; check base_url and the server's log"

_ID = re.compile(r"[\x21-\x7e]{1,128}")
_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "refusal",
}


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads the answers of one endpoint.

    Attributes:
        where: URL for error messages.
        prices: Per million tokens: ``input`` and ``output``.
    """

    where: str
    prices: Mapping[str, float]

    def parse(self, body: bytes, media_type: str = "") -> Any:
        """Return a body as JSON, or raise `ModelError` that says what it is instead."""
        if not body.strip():
            raise self.nonsense("the endpoint's answer is empty", retryable=True)
        try:
            return read_json(body)
        except NotJSONError as error:
            beginning = clean(body[:400].decode("utf-8", "replace"), 120)
            if media_type == "text/html" or beginning.lstrip().startswith("<"):
                raise self.nonsense(
                    "the endpoint answered with a web page instead of JSON",
                    hint="The address of an API usually ends in /v1",
                ) from None
            raise self.nonsense(
                f"the endpoint's answer is {error}", details={"beginning": beginning}
            ) from None

    def read(self, payload: Any, used_ids: Collection[str] = (), seconds: float = 0.0) -> Completion:
        """Return a parsed answer as a completion.

        Args:
            payload: The whole answer.
            used_ids: Ids of calls in the conversation; a call that repeats one gets another.
            seconds: Time it took, for the usage.

        Raises:
            ModelError: It is not a chat completion.
        """
        choice = self._first_choice(payload)
        message = self._expect(choice.get("message"), dict, "choices[0].message")
        calls = self._calls(message.get("tool_calls"), used_ids)
        text = self._text(message.get("content"), "choices[0].message.content")
        refusal = self._text(message.get("refusal"), "choices[0].message.refusal")
        reason = choice.get("finish_reason")
        finish = _FINISHES.get(reason, "stop") if isinstance(reason, str) else "stop"
        if refusal and not calls:
            text, finish = text or refusal, "refusal"
        if calls and finish == "stop":
            finish = "tool_calls"
        elif not calls and finish == "tool_calls":
            finish = "stop"
        model = payload.get("model")
        return Completion(
            text=text,
            calls=calls,
            finish=finish,
            usage=self._usage(payload.get("usage"), seconds),
            model=clean(model, 200) if isinstance(model, str) else "",
        )

    def nonsense(self, what: str, *, hint: str = FORMAT_HINT, **fields: Any) -> ModelError:
        """Return the error for an answer that makes no sense."""
        return ModelError(what, where=self.where, hint=hint, **fields)

    def _first_choice(self, payload: Any) -> dict[str, Any]:
        answer = self._expect(payload, dict, "the answer")
        choices = answer.get("choices")
        if not choices:
            reported = reported_error(answer)
            if reported:
                raise self.nonsense(f"the endpoint reports an error: {reported}", hint="See the server's log")
            raise self.nonsense("the endpoint's answer has no choices")
        choice: dict[str, Any] = self._expect(self._expect(choices, list, "choices")[0], dict, "choices[0]")
        return choice

    def _expect(self, value: Any, kind: type, name: str) -> Any:
        if not isinstance(value, kind):
            wanted = json_type(kind())
            raise self.nonsense(
                f"the endpoint's answer makes no sense: {name} is {json_type(value)}, not {wanted}"
            )
        return value

    def _text(self, content: Any, name: str) -> str:
        """Return content as text; some servers send it as a list of parts."""
        if content is None:
            return ""
        if isinstance(content, list):
            parts = [self._expect(part, dict, f"{name}[{i}]") for i, part in enumerate(content)]
            return "".join(
                self._text(part.get("text"), f"{name}[{i}].text")
                for i, part in enumerate(parts)
                if part.get("type", "text") in ("text", "output_text")
            )
        text: str = self._expect(content, str, name)
        return text

    def _calls(self, listed: Any, used_ids: Collection[str]) -> tuple[ToolCall, ...]:
        if not listed:
            return ()
        entries = self._expect(listed, list, "tool_calls")
        if len(entries) > MOST_CALLS:
            raise self.nonsense(
                f"the model asks for {len(entries)} calls at once",
                hint=f"At most {MOST_CALLS} are read; the model may be caught in a loop",
            )
        taken = set(used_ids)
        calls = []
        for i, entry in enumerate(entries):
            call = self._call(entry, f"tool_calls[{i}]", taken)
            taken.add(call.id)
            calls.append(call)
        return tuple(calls)

    def _call(self, entry: Any, name: str, taken: Collection[str]) -> ToolCall:
        fields = self._expect(entry, dict, name)
        function = self._expect(fields.get("function"), dict, f"{name}.function")
        tool = self._expect(function.get("name"), str, f"{name}.function.name")
        if not tool.strip():
            raise self.nonsense(f"the endpoint's answer makes no sense: {name}.function.name is empty")
        parsed = read_arguments(function.get("arguments"))
        id = fields.get("id")
        if not isinstance(id, str) or id in taken or not _ID.fullmatch(id):
            id = f"call_{uuid.uuid4().hex[:24]}"
        return ToolCall(
            id=id,
            name=clean(tool.strip(), 200),
            arguments=parsed.arguments,
            problem=parsed.problem,
            raw=parsed.raw,
            repaired=parsed.repaired,
        )

    def _usage(self, reported: Any, seconds: float) -> Usage:
        """Return what the endpoint reported; what is missing or makes no sense counts as 0."""
        fields = reported if isinstance(reported, dict) else {}
        tokens_in, tokens_out = (_count(fields.get(f"{name}_tokens")) for name in ("prompt", "completion"))
        cost = tokens_in * self.prices.get("input", 0.0) + tokens_out * self.prices.get("output", 0.0)
        return Usage(
            model_calls=1,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost=cost / 1_000_000,
            seconds=seconds,
        )


def reported_error(payload: Any) -> str:
    """Return the message of an endpoint's error object in any of the usual shapes, or an empty text."""
    if not isinstance(payload, dict):
        return ""
    error = payload.get("error", payload)
    if isinstance(error, dict):
        error = next((error[key] for key in ("message", "detail", "msg", "title") if key in error), "")
    if isinstance(error, list) and error and isinstance(error[0], dict):
        error = error[0].get("msg", "")
    return " ".join(clean(error, 300).split()) if isinstance(error, str) else ""


def _count(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0
