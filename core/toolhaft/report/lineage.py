"""The images and files of a trajectory, and how each was made."""

from __future__ import annotations

from toolhaft.report.markup import Child, Html, byte_size, count, dump, join, tag
from toolhaft.report.visible import make_line
from toolhaft.types import Artifact, Trajectory

_SHOWN = 60
_PARENTS = 8


def lineage_html(trajectory: Trajectory, prefix: str, *, linked: bool) -> Html | None:
    """Return the images and files by handle, each with the call that made it; None where none was made.

    Args:
        trajectory: A cleaned record.
        prefix: Begins the anchors of its steps.
        linked: Whether the steps are on the page.
    """
    artifacts = trajectory.artifacts()
    if not any(artifact.made_by is not None for artifact in artifacts):
        return None
    handles = {artifact.id: artifact.handle or artifact.id[:12] for artifact in artifacts}
    steps: dict[str, int] = {}
    for position, step in enumerate(trajectory.steps):
        for observation in step.observations:
            for artifact in observation.artifacts():
                steps.setdefault(artifact.id, position)
    rows = [
        _row(artifact, handles, steps.get(artifact.id) if linked else None, prefix)
        for artifact in artifacts[:_SHOWN]
    ]
    left_out = len(artifacts) - len(rows)
    return tag(
        "section",
        tag("h3", "Images and files"),
        tag("p", "Each with the call that made it, back to what the user gave.", class_="hint"),
        tag("ul", *rows, class_="lineage"),
        tag("p", f"… {count(left_out, 'more file')} not shown", class_="cut") if left_out else None,
        class_="files",
    )


def facts_of(artifact: Artifact) -> str:
    """Return media type, pixels, bytes and the beginning of the id as one line."""
    pixels = f"{artifact.width}x{artifact.height}" if artifact.width and artifact.height else ""
    facts = [make_line(artifact.media_type, 80), pixels, byte_size(artifact.size), make_line(artifact.id, 12)]
    return ", ".join(fact for fact in facts if fact)


def _row(artifact: Artifact, handles: dict[str, str], step: int | None, prefix: str) -> Html:
    return tag(
        "li",
        tag("code", make_line(handles[artifact.id], 40)),
        " ",
        tag("strong", make_line(artifact.name, 120) or "unnamed file"),
        " ",
        tag("span", facts_of(artifact), class_="hint"),
        tag("p", _origin(artifact, handles, step, prefix)),
    )


def _origin(artifact: Artifact, handles: dict[str, str], step: int | None, prefix: str) -> Html:
    made_by = artifact.made_by
    if made_by is None:
        return tag("span", "given by the user")
    said: list[Child] = ["made by ", tag("code", make_line(made_by.tool, 64), class_="tool")]
    if made_by.parents:
        named = [
            tag("code", make_line(handles.get(parent, parent[:12]), 40))
            for parent in made_by.parents[:_PARENTS]
        ]
        said += [" from ", join(named, ", ")]
    if len(made_by.parents) > _PARENTS:
        said.append(f" and {len(made_by.parents) - _PARENTS} more")
    if step is not None:
        said += [" in ", tag("a", f"step {step + 1}", href=f"#{prefix}-step-{step + 1}")]
    said += [" with ", tag("code", make_line(dump(made_by.arguments), 200), class_="brief")]
    return tag("span", *said)
