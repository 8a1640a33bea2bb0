"""Requests of the chat-completions format as bytes, each message and tool serialised once."""

from __future__ import annotations

import base64
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from toolhaft.errors import UsageError
from toolhaft.models.prompts import prompt
from toolhaft.text import shorten
from toolhaft.tools.profiles import ProfileName, fit
from toolhaft.types import Artifact, Message, ToolCall, ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore

_KEPT_TOOL_SETS = 32
_LARGEST_IMAGE = 20_000_000
_MOST_AVOIDED = 20
_LONGEST_AVOIDED = 500

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A message as JSON, and the images of a tool message, which must follow in a user message."""

    data: bytes
    images: bytes = b""


class RequestEncoder:
    """Writes request bodies.

    Tools are kept by the identity of their tuple and messages by their own, so that a step of a rollout
    costs the serialisation of what is new in it.

    Args:
        fields: What stands in every request besides messages and tools, the model's name among it.
        artifacts: Where images are found; None shows handles only.
        limit_name: The field that limits the answer's length.
        parallel: Whether the model may ask for several calls at once.
        profile: Whose rules the schemas of tools keep.
    """

    def __init__(
        self,
        fields: Mapping[str, Any],
        *,
        artifacts: ArtifactStore | None = None,
        limit_name: str = "max_tokens",
        parallel: bool = True,
        profile: ProfileName = "openai",
    ) -> None:
        self.artifacts = artifacts
        self._profile: ProfileName = profile
        self._fixed = {name: value for name, value in fields.items() if value is not None}
        self._left_to_extra = frozenset(fields)
        self._head = dumps(self._fixed, "the settings of the model")[:-1]
        self._limit_name = limit_name
        self._parallel = parallel
        self._messages: _Once[Message, _Encoded] = _Once(self._encode_message)
        self._specs: _Once[ToolSpec, bytes] = _Once(self._encode_spec)
        self._tool_sets: OrderedDict[int, tuple[Sequence[ToolSpec], bytes]] = OrderedDict()

    def body(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        stream: bool = False,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> bytes:
        """Return one request.

        Raises:
            UsageError: There are no messages, or one or a tool cannot be written as JSON.
        """
        if not messages:
            raise UsageError("a model cannot be asked without a message")
        parts = [self._head, b',"messages":[', b",".join(self._conversation(messages, avoid)), b"]"]
        if tools:
            parts += [b',"tools":', self._tools(tools)]
            if not self._parallel:
                parts.append(b',"parallel_tool_calls":false')
        if stream:
            parts.append(b',"stream":true,"stream_options":{"include_usage":true}')
        for name, value in (("seed", seed), (self._limit_name, max_tokens)):
            if value is not None and name not in self._left_to_extra:
                parts.append(b',"%s":%d' % (name.encode(), value))
        parts.append(b"}")
        return b"".join(parts)

    def _conversation(self, messages: Sequence[Message], avoid: Sequence[ToolCall]) -> list[bytes]:
        encoded: list[bytes] = []
        waiting: list[bytes] = []
        asked = [*messages, Message(role="user", text=render_avoid(avoid))] if avoid else messages
        for message in joined(asked):
            if waiting and message.role != "tool":
                encoded.append(_image_message(waiting))
                waiting = []
            written = self._messages.get(message)
            encoded.append(written.data)
            if written.images:
                waiting.append(written.images)
        if waiting:
            encoded.append(_image_message(waiting))
        return encoded

    def _tools(self, tools: Sequence[ToolSpec]) -> bytes:
        kept = self._tool_sets.get(id(tools))
        if kept is not None and kept[0] is tools:
            self._tool_sets.move_to_end(id(tools))
            return kept[1]
        data = b"[" + b",".join([self._specs.get(spec) for spec in tools]) + b"]"
        if isinstance(tools, tuple):
            self._tool_sets[id(tools)] = (tools, data)
            if len(self._tool_sets) > _KEPT_TOOL_SETS:
                self._tool_sets.popitem(last=False)
        return data

    def _encode_message(self, message: Message) -> _Encoded:
        if message.role == "assistant":
            return _Encoded(_encode_assistant(message))
        images = self._images(message.artifacts) if message.artifacts else b""
        if message.role == "tool":
            fields = {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
            return _Encoded(dumps(fields, "a message"), images)
        text = "\n".join([message.text, *(artifact.line() for artifact in message.artifacts)])
        if not images:
            return _Encoded(dumps({"role": message.role, "content": text}, "a message"))
        part = dumps({"type": "text", "text": text}, "a message")
        return _Encoded(b'{"role":"%s","content":[%s,%s]}' % (message.role.encode(), part, images))

    def _encode_spec(self, spec: ToolSpec) -> bytes:
        try:
            parameters = fit(spec.parameters, self._profile).parameters
        except RecursionError:
            raise UsageError(
                "cannot be written as JSON: it holds itself", where=f"tool {spec.name}"
            ) from None
        function: dict[str, Any] = {"name": spec.name, "description": spec.description}
        if parameters:
            function["parameters"] = parameters
        if self._profile == "openai-strict":
            function["strict"] = True
        return dumps({"type": "function", "function": function}, f"tool {spec.name}")

    def _images(self, artifacts: Sequence[Artifact]) -> bytes:
        """Return images as content parts joined by commas; what is no image, or too large, is left out."""
        if self.artifacts is None:
            return b""
        parts: list[bytes] = []
        for artifact in artifacts:
            if artifact.media_type.startswith("image/") and artifact.size <= _LARGEST_IMAGE:
                data = base64.b64encode(self.artifacts.get(artifact)).decode()
                url = f"data:{artifact.media_type};base64,{data}"
                parts.append(dumps({"type": "image_url", "image_url": {"url": url}}, "an image"))
        return b",".join(parts)


def render_avoid(avoid: Sequence[ToolCall]) -> str:
    """Return the prompt that asks for something other than these calls."""
    lines = []
    for call in avoid[:_MOST_AVOIDED]:
        arguments = call.raw if call.problem else dumps(call.arguments, call.name).decode()
        lines.append(shorten(f"- {call.name}({arguments})", _LONGEST_AVOIDED))
    if len(avoid) > _MOST_AVOIDED:
        lines.append(f"- and {len(avoid) - _MOST_AVOIDED} more")
    return prompt("avoid").replace("{calls}", "\n".join(lines))


def dumps(value: Any, where: str) -> bytes:
    """Return a value as JSON; integers of any size are kept, lone surrogates become question marks.

    Raises:
        UsageError: It holds something that JSON cannot say.
    """
    try:
        # Copied, because orjson's own bytes keep a buffer of 4 kB, and these are kept for a whole rollout.
        return bytes(memoryview(orjson.dumps(value)))
    except TypeError:  # integers beyond 64 bits, lone surrogates, keys that are no strings
        import json

        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"cannot be written as JSON: {str(error)[:200]}", where=where) from None
        return text.encode("utf-8", "replace")


class _Once(Generic[K, V]):
    """What a function returns for an object, kept as long as the object lives."""

    def __init__(self, function: Callable[[K], V]) -> None:
        self._function = function
        self._kept: dict[int, tuple[weakref.ref[K], V]] = {}

    def get(self, item: K) -> V:
        key = id(item)
        kept = self._kept.get(key)
        if kept is not None and kept[0]() is item:
            return kept[1]
        value = self._function(item)
        known = self._kept

        def forget(_: weakref.ref[K]) -> None:
            known.pop(key, None)

        known[key] = (weakref.ref(item, forget), value)
        return value

    def __len__(self) -> int:
        return len(self._kept)


def _encode_assistant(message: Message) -> bytes:
    if not message.calls:
        return dumps({"role": "assistant", "content": message.text}, "a message")
    calls = [
        {
            "id": call.id,
            "type": "function",
            # Servers parse these before the model sees them: what was malformed is told by the observation.
            "function": {"name": call.name, "arguments": dumps(call.arguments, call.name).decode()},
        }
        for call in message.calls
    ]
    return dumps({"role": "assistant", "content": message.text or None, "tool_calls": calls}, "a message")


def _image_message(images: list[bytes]) -> bytes:
    part = dumps({"type": "text", "text": prompt("images")}, "a message")
    return b'{"role":"user","content":[%s,%s]}' % (part, b",".join(images))


def joined(messages: Sequence[Message]) -> Iterator[Message]:
    """Iterate over messages with those of the user that follow one another made one.

    Two user messages in a row break the chat templates of some models.
    """
    said: Message | None = None
    for message in messages:
        if said is not None and message.role == "user":
            said = Message(
                role="user",
                text="\n\n".join(text for text in (said.text, message.text) if text),
                artifacts=(*said.artifacts, *message.artifacts),
            )
            continue
        if said is not None:
            yield said
        said = message if message.role == "user" else None
        if said is None:
            yield message
    if said is not None:
        yield said
