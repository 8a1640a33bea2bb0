"""What came back from a call: text, JSON and artifacts, with where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Provenance = Literal["live", "cached", "replayed", "simulated", "reused"]
"""``live``: really asked now; ``cached``: an earlier answer kept on purpose; ``replayed``: from a
recording; ``simulated``: made up by a simulator; ``reused``: this rollout's own earlier answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How an artifact was made: the call that returned it, and the artifacts that the call was given.

    Attributes:
        tool: Name of the tool.
        arguments: As the record has them: artifacts stand in them by their handles.
        parents: Ids of the artifacts among the arguments, each once, in their order.
        call_id: The `ToolCall` that made it; empty for a call made from Python.
    """

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    parents: tuple[str, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An image or file by handle; the bytes lie in an artifact store under ``id``.

    Attributes:
        id: SHA-256 of the bytes, 64 hexadecimal digits.
        media_type: For example ``image/png``.
        size: Bytes.
        name: The file's name as the user or the tool gave it, without folders.
        handle: How the model calls it within its rollout, for example ``img-1`` or ``file-1``; empty
            outside one.
        width: Pixels; 0 where unknown, likewise ``height``.
        made_by: The call that made it; None for what the user gave.
        preview: Id of a smaller image of it in the same store, for people to look at; or empty.
    """

    id: str
    media_type: str
    size: int
    name: str = ""
    handle: str = ""
    width: int = 0
    height: int = 0
    made_by: Derivation | None = None
    preview: str = ""

    @property
    def is_image(self) -> bool:
        """Whether its media type is one of images."""
        return self.media_type.startswith("image/")

    def line(self) -> str:
        """Return the line that tells a model of it: ``[img-1 image/png 'a.png' 640x480, 2681 bytes]``."""
        name = self.handle or f"artifact {self.id[:12]}"
        pixels = f" {self.width}x{self.height}," if self.width and self.height else ""
        return f"[{name} {self.media_type} {self.name!r}{pixels} {self.size} bytes]"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text for the model to read."""

    text: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class JSONPart:
    """A JSON value."""

    value: Any
    type: Literal["json"] = "json"


@dataclass(frozen=True, slots=True)
class ArtifactPart:
    """An artifact; the model is shown its handle, name and type."""

    artifact: Artifact
    type: Literal["artifact"] = "artifact"


Part = TextPart | JSONPart | ArtifactPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """An error as a record: see `toolhaft.errors.ToolhaftError` for the fields."""

    code: str
    what: str
    where: str = ""
    hint: str = ""
    retryable: bool = False
    effect: Literal["none", "done", "uncertain"] = "none"
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its answer, redacted, as the report shows it.

    Attributes:
        status: HTTP status; 0 where no answer came.
        request_body: At most the first 4,000 characters; likewise ``response_body``.
        seconds: From the request's start to the last byte of the answer.
        problem: Why there is no answer, or empty.
        provenance: Whether the network was really used.
    """

    method: str
    url: str
    status: int = 0
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: str = ""
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: str = ""
    seconds: float = 0.0
    problem: str = ""
    provenance: Provenance = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What came back from one call, errors included.

    Attributes:
        call_id: The `ToolCall` it answers.
        tool: Name of the tool.
        parts: Content, untrusted.
        error: Set if the call failed; ``parts`` then is empty.
        labels: Sources this content carries, for example ``("tool:getPet",)``.
        seconds: Time the call took.
        exchanges: HTTP exchanges made for it.
        truncated: Characters that were cut to keep to the size cap; 0 if none.
        effect: The tool's effect.
        arguments_from: ``(argument, labels)``: where each argument of the call came from.
        notes: What the tool says of the content, each one line; as untrusted as the content.
    """

    call_id: str
    tool: str
    parts: tuple[Part, ...] = ()
    error: ErrorInfo | None = None
    provenance: Provenance = "live"
    labels: tuple[str, ...] = ()
    seconds: float = 0.0
    exchanges: tuple[Exchange, ...] = ()
    truncated: int = 0
    effect: Literal["read", "write", "irreversible"] = "read"
    arguments_from: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the call ended in an error."""
        return self.error is not None

    def value(self) -> Any:
        """Return the content as one Python value: the JSON of a single JSON part, else the text.

        Artifacts beside a JSON part change nothing: their handles stand in it.
        """
        said = [part for part in self.parts if not isinstance(part, ArtifactPart)]
        if len(said) == 1 and isinstance(said[0], JSONPart):
            return said[0].value
        return self.text()

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the images and files in it."""
        return tuple(part.artifact for part in self.parts if isinstance(part, ArtifactPart))

    def text(self) -> str:
        """Return what a language model is shown."""
        if self.error is not None:
            return f"Error {self.error.code}: {self.error}"
        return "\n".join([*map(_part_text, self.parts), *(f"[{note}]" for note in self.notes)])


def _part_text(part: Part) -> str:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, JSONPart):
        import orjson

        try:
            return orjson.dumps(part.value).decode()
        except TypeError:  # integers beyond 64 bits, which JSON allows
            import json

            return json.dumps(part.value, ensure_ascii=False, separators=(",", ":"))
    return part.artifact.line()
