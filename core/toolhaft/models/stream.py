"""Server-sent events of a chat completion, put together to the answer they are the pieces of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolhaft.models.answer import MOST_CALLS, AnswerReader, reported_error
from toolhaft.models.parsing import NotJSONError, read_json

_MOST_EVENTS = 1_000_000
_LONGEST_LINE = 10_000_000


class StreamedAnswer:
    """Takes the lines of an event stream and becomes one answer.

    Args:
        reader: For errors.
        on_delta: Called with each piece of text.
    """

    def __init__(self, reader: AnswerReader, on_delta: Callable[[str], None] | None = None) -> None:
        self._reader = reader
        self._on_delta = on_delta
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._finish_reason: str | None = None
        self._usage: Any = None
        self._model: Any = None
        self._events = 0
        self._data: list[str] = []
        self.done = False

    def take(self, line: str) -> None:
        """Take one line, without its end.

        Raises:
            ModelError: It makes no sense, or the endpoint reports an error in it.
        """
        if len(line) > _LONGEST_LINE:
            raise self._reader.nonsense("a line of the endpoint's event stream is too long")
        if line == "":
            self._dispatch()
        elif line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))

    def finish(self) -> Any:
        """Return the answer as if it had come in one piece.

        Raises:
            ModelError: The stream broke off.
        """
        self._dispatch()
        if not self._events:
            raise self._reader.nonsense("the endpoint's event stream holds no event", retryable=True)
        if not self.done and self._finish_reason is None:
            raise self._reader.nonsense(
                "the endpoint's event stream broke off before the answer was complete",
                hint="Try again; the server's log may say why",
                retryable=True,
            )
        message: dict[str, Any] = {
            "content": "".join(self._texts),
            "refusal": "".join(self._refusals),
            "tool_calls": [self._calls[index].whole() for index in sorted(self._calls)],
        }
        choice = {"message": message, "finish_reason": self._finish_reason}
        return {"choices": [choice], "usage": self._usage, "model": self._model}

    def _dispatch(self) -> None:
        if not self._data or self.done:
            self._data = []
            return
        data = "\n".join(self._data)
        self._data = []
        self._events += 1
        if self._events > _MOST_EVENTS:
            raise self._reader.nonsense("the endpoint's event stream does not end")
        if data.strip() == "[DONE]":
            self.done = True
            return
        try:
            chunk = read_json(data)
        except NotJSONError as error:
            raise self._reader.nonsense(f"an event of the endpoint's stream is {error}") from None
        self._take_chunk(chunk)

    def _take_chunk(self, chunk: Any) -> None:
        fields = self._object(chunk, "an event")
        if fields.get("error"):
            raise self._reader.nonsense(
                f"the endpoint reports an error: {reported_error(fields)}", hint="See the server's log"
            )
        self._usage = fields.get("usage") or self._usage
        self._model = self._model or fields.get("model")
        choices = fields.get("choices")
        if not choices:
            return
        if not isinstance(choices, list):
            raise self._reader.nonsense("the endpoint's stream makes no sense: choices is no array")
        choice = self._object(choices[0], "choices[0]")
        if isinstance(choice.get("finish_reason"), str):
            self._finish_reason = choice["finish_reason"]
        # A server that does not stream sends the whole message in one event.
        delta = choice.get("delta", choice.get("message"))
        if delta is not None:
            self._take_delta(self._object(delta, "delta"))

    def _take_delta(self, delta: dict[str, Any]) -> None:
        text = self._string(delta.get("content"), "content")
        if text:
            self._texts.append(text)
            if self._on_delta is not None:
                self._on_delta(text)
        self._refusals.append(self._string(delta.get("refusal"), "refusal"))
        fragments = delta.get("tool_calls") or []
        if not isinstance(fragments, list):
            raise self._reader.nonsense("the endpoint's stream makes no sense: tool_calls is no array")
        for fragment in fragments:
            self._take_fragment(self._object(fragment, "tool_calls[...]"))

    def _take_fragment(self, fragment: dict[str, Any]) -> None:
        id = fragment.get("id")
        index = fragment.get("index")
        if index is None:
            index = self._index_without(id)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < MOST_CALLS:
            raise self._reader.nonsense(
                f"the endpoint's stream makes no sense: the index of a call is not from 0 to {MOST_CALLS - 1}"
            )
        call = self._calls.setdefault(index, _Call())
        if isinstance(id, str) and id:
            call.id = call.id or id
        function = fragment.get("function")
        if function is not None:
            fields = self._object(function, "function")
            call.add_name(self._string(fields.get("name"), "function.name"))
            arguments = fields.get("arguments")
            if isinstance(arguments, dict):
                call.value = arguments
            else:
                call.pieces.append(self._string(arguments, "function.arguments"))

    def _index_without(self, id: Any) -> int:
        """Return where a fragment belongs whose server numbers nothing: a new id begins a new call."""
        last = max(self._calls, default=-1)
        known = self._calls.get(last)
        if known is None or (isinstance(id, str) and id and id != known.id):
            return last + 1
        return last

    def _object(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._reader.nonsense(f"the endpoint's stream makes no sense: {name} is no object")
        return value

    def _string(self, value: Any, name: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._reader.nonsense(f"the endpoint's stream makes no sense: {name} is no string")
        return value


class _Call:
    """The fragments of one call."""

    __slots__ = ("id", "name", "pieces", "value")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.value: dict[str, Any] | None = None

    def add_name(self, piece: str) -> None:
        """Add a piece of the name; servers that repeat the whole name with each fragment are understood."""
        if piece != self.name:
            self.name += piece

    def whole(self) -> dict[str, Any]:
        arguments: Any = "".join(self.pieces) if self.value is None else self.value
        return {"id": self.id, "function": {"name": self.name, "arguments": arguments}}
