"""Images and files in calls that are made from Python: paths and artifacts instead of handles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError
from toolhaft.tools.artifact_places import Place, fill_places, takes_artifacts
from toolhaft.tools.handles import artifacts_in, fits
from toolhaft.types import Artifact, Derivation, ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore


def written(
    spec: ToolSpec, arguments: Mapping[str, Any], artifacts: ArtifactStore
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return arguments with artifacts in place of paths, and as JSON with ids in place of artifacts.

    Args:
        spec: The tool.
        arguments: With `pathlib.Path`, `Artifact` or ``bytes`` objects where the schema takes artifacts.
        artifacts: Where files are kept.

    Raises:
        InvalidArgumentsError: Something else stands there, or a file of another kind than is needed.
        UsageError: A file cannot be read.
    """
    if not takes_artifacts(spec.parameters):
        return arguments, arguments

    def kept(place: Place, value: Any) -> Any:
        if isinstance(value, Path):
            value = artifacts.put_file(value)
        elif isinstance(value, bytes):
            value = artifacts.put(value)
        where = f"{spec.name}#{place.pointer}"
        if not isinstance(value, Artifact):
            if place.optional:
                return value
            raise InvalidArgumentsError(
                f"an image or file is needed, not {value!r:.80}",
                where=where,
                hint="Give a pathlib.Path, bytes, or an Artifact that a call returned",
            )
        if not fits(value.media_type, place.media_type):
            raise InvalidArgumentsError(
                f"{value.name or 'the file'} is {value.media_type}, and {place.media_type} is needed",
                where=where,
            )
        return value

    given: dict[str, Any] = fill_places(spec.parameters, arguments, kept)
    shown: dict[str, Any] = fill_places(
        spec.parameters, given, lambda _, value: value.id if isinstance(value, Artifact) else value
    )
    return given, shown


def with_origin(value: Any, tool: str, given: Mapping[str, Any], shown: Mapping[str, Any]) -> Any:
    """Return a tool's value whose artifacts say which call made them."""
    if not artifacts_in(value):
        return value
    parents = tuple(artifact.id for artifact in artifacts_in(given))
    made_by = Derivation(tool=tool, arguments=dict(shown), parents=parents)

    def derived(item: Any) -> Any:
        if isinstance(item, Artifact):
            return item if item.id in parents else replace(item, made_by=made_by)
        if isinstance(item, dict):
            return {key: derived(member) for key, member in item.items()}
        return [derived(member) for member in item] if isinstance(item, list) else item

    return derived(value)
