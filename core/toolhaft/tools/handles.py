"""The short names by which a model calls images and files within one rollout, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.tools.artifact_places import Place, fill_places, takes_artifacts
from toolhaft.types import Artifact, ArtifactPart, JSONPart, Observation, Part, TextPart, ToolSpec

_MOST_LISTED = 20
_KEPT = 1024
PLACE = "artifact:"
"""What an artifact inside a JSON result begins with until it has its handle; its id follows."""


class Handles:
    """Gives artifacts handles in the order in which they come: ``img-1``, ``img-2``, ``file-1``.

    The same bytes have one handle for the whole rollout, whoever gave them and however often, and keep
    the name and origin with which they came first.
    """

    def __init__(self) -> None:
        self._known: dict[str, Artifact] = {}
        self._by_handle: dict[str, Artifact] = {}
        self._counts: dict[str, int] = {}
        self._takes: dict[int, tuple[Any, bool]] = {}

    def name(self, artifact: Artifact) -> Artifact:
        """Return an artifact with its handle."""
        known = self._known.get(artifact.id)
        if known is None:
            kind = "img" if artifact.is_image else "file"
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            known = replace(artifact, handle=f"{kind}-{number}")
            self._known[known.id] = self._by_handle[known.handle] = known
        return known

    def name_all(self, artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
        """Return artifacts with their handles, each once."""
        return tuple({found.id: found for found in map(self.name, artifacts)}.values())

    def settle(self, observation: Observation) -> Observation:
        """Return an observation whose artifacts have handles, in its JSON too.

        Call it in the order of the calls, so that the handles do not depend on which answered first.
        """
        named = {artifact.id: self.name(artifact) for artifact in observation.artifacts()}
        if not named:
            return observation
        return replace(observation, parts=tuple(_settled(part, named) for part in observation.parts))

    def find(self, handle: str, *, where: str = "", media_type: str = "") -> Artifact:
        """Return what a handle stands for.

        Args:
            handle: As the model wrote it.
            where: For the error.
            media_type: What it must be, for example ``image/*``; empty accepts anything.

        Raises:
            InvalidArgumentsError: There is no such handle, or it stands for something else; the hint
                lists the handles that would do.
        """
        found = self._by_handle.get(handle)
        if found is not None and fits(found.media_type, media_type):
            return found
        if found is None:
            what = f"there is no image or file {str(handle)[:80]!r}"
        else:
            what = f"{handle} is {found.media_type}, and {media_type} is needed"
        raise InvalidArgumentsError(what, where=where, hint=self._choice(media_type))

    def resolve(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return arguments in which the handles are replaced by the artifacts they stand for.

        Args:
            spec: The tool; a string of the schema ``{"type": "string", "format": "artifact"}`` is a
                handle, ``contentMediaType`` says of what.
            arguments: Valid against the schema; they are not changed.

        Raises:
            InvalidArgumentsError: See `find`.
        """
        if not self._has_places(spec):
            return arguments

        def artifact_at(place: Place, value: Any) -> Any:
            if place.optional and value not in self._by_handle:
                return value
            return self.find(value, where=f"{spec.name}#{place.pointer}", media_type=place.media_type)

        filled: Mapping[str, Any] = fill_places(spec.parameters, arguments, artifact_at)
        return filled

    def __iter__(self) -> Any:
        return iter(self._by_handle.values())

    def _has_places(self, spec: ToolSpec) -> bool:
        kept = self._takes.get(id(spec.parameters))
        if kept is None:
            if len(self._takes) >= _KEPT:
                self._takes.clear()
            kept = self._takes[id(spec.parameters)] = spec.parameters, takes_artifacts(spec.parameters)
        return kept[1]

    def _choice(self, media_type: str) -> str:
        fitting = [found for found in self._by_handle.values() if fits(found.media_type, media_type)]
        if not fitting:
            return "There is none that would do" if self._by_handle else "There are no images or files"
        listed = " ".join(found.line() for found in fitting[-_MOST_LISTED:])
        return f"Use one of these handles: {listed}"


def fits(media_type: str, wanted: str) -> bool:
    """Whether a media type is one that is wanted, such as ``image/png``, ``image/*`` or nothing."""
    if not wanted or wanted == "*/*":
        return True
    return media_type.startswith(wanted[:-1]) if wanted.endswith("/*") else media_type == wanted


def artifacts_in(value: Any) -> tuple[Artifact, ...]:
    """Return the artifacts in a value of dictionaries and lists, each once, in order."""
    found: dict[str, Artifact] = {}
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Artifact):
            found.setdefault(item.id, item)
        elif isinstance(item, Mapping | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(reversed(list(item.values()) if isinstance(item, Mapping) else item))
    return tuple(found.values())


def _settled(part: Part, named: Mapping[str, Artifact]) -> Part:
    if isinstance(part, ArtifactPart):
        return ArtifactPart(named[part.artifact.id])
    if isinstance(part, JSONPart):
        handles = {PLACE + id: artifact.handle for id, artifact in named.items()}
        return JSONPart(_replaced(part.value, handles))
    text = part.text
    for id, artifact in named.items():
        text = text.replace(PLACE + id, artifact.handle)
    return TextPart(text)


def _replaced(value: Any, handles: Mapping[str, str]) -> Any:
    """Return a JSON value with some strings in it replaced; it is nested at most 200 deep."""
    if isinstance(value, str):
        return handles.get(value, value)
    if isinstance(value, dict):
        return {key: _replaced(item, handles) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, handles) for item in value]
    return value
