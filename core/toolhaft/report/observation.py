"""What came back from a call, as HTML."""

from __future__ import annotations

from typing import Any

from toolhaft.report.exchange import exchange_html, json_or_text
from toolhaft.report.images import Pictures
from toolhaft.report.lineage import facts_of
from toolhaft.report.markup import (
    Child,
    Html,
    badge,
    count,
    dump,
    duration,
    join,
    plain,
    pretty,
    tag,
)
from toolhaft.report.visible import make_line
from toolhaft.types import Artifact, ErrorInfo, JSONPart, Observation, Part, TextPart

_PARTS = 30
_EXCHANGES = 20
_LABELS = 12
_FOLD_AT = 18
"""Lines above which a value is folded."""

_PROVENANCE = {
    "live": ("live", "quiet", "Really asked, in this run"),
    "cached": ("cached", "warn", "An earlier answer, kept on purpose"),
    "replayed": ("replayed", "warn", "From a recording"),
    "simulated": ("simulated", "warn", "Made up by a simulator, not the real service"),
    "reused": ("reused", "warn", "This run's own earlier answer; the call was not made again"),
}


def observation_html(
    observation: Observation, pictures: Pictures, cap: int, earlier: Html | None = None
) -> Html:
    """Return an observation: what it says, its source, and the HTTP exchanges behind it.

    Args:
        observation: Of a cleaned record.
        pictures: Where pictures are.
        cap: Characters of one text.
        earlier: A link to the step whose observation this one repeats.
    """
    heading = tag(
        "h4",
        "Error" if observation.failed else "Observation",
        " ",
        provenance_badge(observation.provenance),
        earlier,
        tag("span", duration(observation.seconds), class_="time"),
    )
    parts = [part_html(part, pictures, cap) for part in observation.parts[:_PARTS]]
    if observation.error is None and not parts:
        parts.append(tag("p", "Empty.", class_="hint"))
    return tag(
        "section",
        heading,
        error_html(observation.error) if observation.error else None,
        *parts,
        _more(len(observation.parts) - _PARTS, "part"),
        *(tag("p", plain(note, 400), class_="hint", dir="auto") for note in observation.notes[:8]),
        _truncated(observation),
        labels_html("Carries the labels", observation.labels),
        _exchanges(observation, cap),
        class_="observation failed" if observation.failed else "observation",
    )


def provenance_badge(provenance: str) -> Html:
    """Return a badge that says where an observation came from."""
    return badge(*_PROVENANCE.get(provenance, (provenance, "warn", "")))


def error_html(error: ErrorInfo) -> Html:
    """Return an error: code, what, where, hint, and what else is known."""
    marks: list[Child] = [badge(make_line(error.code, 60), "bad")]
    if error.retryable:
        marks.append(badge("may be retried", "quiet"))
    if error.effect == "uncertain":
        marks.append(badge("effect uncertain", "warn", "The answer to a write was lost"))
    elif error.effect == "done":
        marks.append(badge("effect done", "warn", "Something was changed outside"))
    return tag(
        "div",
        tag("p", join(marks, " ")),
        tag("p", plain(error.what, 2000), class_="what", dir="auto"),
        tag("p", tag("code", make_line(error.where, 400)), class_="where") if error.where else None,
        tag("p", plain(error.hint, 1000), class_="hint", dir="auto") if error.hint else None,
        value_html(error.details, 4000) if error.details else None,
        class_="error",
    )


def part_html(part: Part, pictures: Pictures, cap: int) -> Html:
    """Return one part of an observation."""
    if isinstance(part, TextPart):
        return _folded(part.text, json_or_text(part.text, cap))
    if isinstance(part, JSONPart):
        return value_html(part.value, cap)
    return artifact_html(part.artifact, pictures)


def value_html(value: Any, cap: int) -> Html:
    """Return a JSON value, indented, folded if it is long."""
    indented = dump(value)
    return _folded(indented, pretty(indented, cap), kind=_kind(value))


def artifact_html(artifact: Artifact, pictures: Pictures) -> Html:
    """Return a small picture, or the handle of anything else."""
    name = make_line(artifact.name, 120) or "unnamed file"
    address = pictures.address(artifact)
    handle = tag("code", make_line(artifact.handle, 40)) if artifact.handle else None
    facts = tag("span", facts_of(artifact), class_="hint")
    return tag(
        "figure",
        tag("img", src=address, alt=name) if address else None,
        tag("figcaption", handle, " " if handle else None, tag("strong", name), " ", facts),
        class_="artifact",
    )


def labels_html(title: str, labels: tuple[str, ...]) -> Html | None:
    """Return a line of source labels, or None if there are none."""
    if not labels:
        return None
    shown: list[Child] = [tag("code", make_line(label, 80), class_="label") for label in labels[:_LABELS]]
    if len(labels) > _LABELS:
        shown.append(f"and {len(labels) - _LABELS} more")
    return tag("p", f"{title} ", join(shown, " "), class_="labels")


def _folded(whole: str, shown: Html, kind: str = "Text") -> Html:
    lines = whole.count("\n") + 1
    block = tag("pre", shown, tabindex="0", dir="auto")
    if lines <= _FOLD_AT and len(whole) <= 2000:
        return block
    size = count(lines, "line") if lines > 1 else count(len(whole), "character")
    return tag("details", tag("summary", f"{kind}, {size}"), block, class_="long")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"List of {count(len(value), 'item')}"
    if isinstance(value, dict):
        return f"Object with {count(len(value), 'field')}"
    return "Value"


def _more(number: int, noun: str) -> Html | None:
    return tag("p", f"… {count(number, f'more {noun}')} not shown", class_="cut") if number > 0 else None


def _truncated(observation: Observation) -> Html | None:
    if not observation.truncated:
        return None
    cut = count(observation.truncated, "character")
    return tag("p", f"The run itself kept {cut} of this answer from the model.", class_="hint")


def _exchanges(observation: Observation, cap: int) -> Html | None:
    if not observation.exchanges:
        return None
    most = min(_EXCHANGES, max(2, cap // 100))
    shown = [exchange_html(exchange, cap) for exchange in observation.exchanges[:most]]
    return tag(
        "section",
        tag("h5", count(len(observation.exchanges), "HTTP exchange")),
        *shown,
        _more(len(observation.exchanges) - most, "exchange"),
        class_="exchanges",
    )
