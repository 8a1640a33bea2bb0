"""Boxes, sizes and factors put into the arguments of a tool for images, by the arguments' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.models.heuristic.clauses import Goal
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.regions import Measure, find_measures
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import name_words

_ROLES: dict[str, str] = {
    **dict.fromkeys(("left", "xmin", "minx", "xstart", "startx", "x0", "xleft", "leftx", "x"), "left"),
    **dict.fromkeys(("top", "upper", "ymin", "miny", "ystart", "starty", "y0", "ytop", "topy", "y"), "top"),
    **dict.fromkeys(("right", "xmax", "maxx", "xend", "endx", "x2", "xright", "rightx"), "right"),
    **dict.fromkeys(
        ("bottom", "lower", "ymax", "maxy", "yend", "endy", "y2", "ybottom", "bottomy"), "bottom"
    ),
    **dict.fromkeys(("width", "w", "newwidth", "targetwidth", "widthpx", "widthpixels", "boxwidth"), "width"),
    **dict.fromkeys(
        ("height", "h", "newheight", "targetheight", "heightpx", "heightpixels", "boxheight"), "height"
    ),
}
_BOX_WORDS = frozenset(
    ["box", "bbox", "region", "rectangle", "rect", "area", "crop", "roi", "bounds", "window", "coordinates"]
)
_SIZE_WORDS = frozenset(["size", "dimensions", "shape", "resolution"])
_FACTOR_WORDS = frozenset(["scale", "factor", "ratio", "zoom", "magnification"])
_PERCENT_WORDS = frozenset(["percent", "percentage"])
_EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class Pixels:
    """The size of the image that a call is about; 0 where unknown."""

    width: int = 0
    height: int = 0


UNKNOWN = Pixels()


@dataclass(frozen=True, slots=True)
class Placed:
    """What a text gives for the places and sizes among a tool's arguments.

    Attributes:
        values: Values by path.
        measures: What they were made of.
    """

    values: dict[Path, Any]
    measures: tuple[Measure, ...] = ()


def takes_image(slots: Sequence[Slot]) -> bool:
    """Return whether a tool takes an image or a file."""
    return any(slot.kind == "artifact" for slot in slots)


def takes_place(slots: Sequence[Slot]) -> bool:
    """Return whether a tool has arguments for a box."""
    return any(_is_box(slot) for slot in slots) or {"left", "top"} <= set(_roles(slots).values())


def needs_place(slots: Sequence[Slot]) -> bool:
    """Return whether a tool can do nothing without a box."""
    roles = _roles(slots)
    return any(slot.required and (_is_box(slot) or roles.get(slot.path) == "left") for slot in slots)


def takes_size(slots: Sequence[Slot]) -> bool:
    """Return whether a tool has arguments for a size or a factor, and none for a box."""
    sized = {"width", "height"} <= set(_roles(slots).values()) or any(map(_is_size, slots))
    return (sized or any(map(_is_factor, slots))) and not takes_place(slots)


def place(slots: Sequence[Slot], text: str, goal: Goal, spoken: Sequence[Goal], image: Pixels) -> Placed:
    """Return the arguments that say where and how large, as far as the text and the image's size give them.

    Args:
        slots: Arguments of a tool.
        text: The whole instruction.
        goal: What the tool is called for.
        spoken: All goals; what stands in none of them is said for all.
        image: What the call is about.
    """
    measures = find_measures(text)
    own = [one for one in measures if goal.start <= one.start < goal.end]
    if not own:
        own = [one for one in measures if not any(other.start <= one.start < other.end for other in spoken)]
    if any(one.width or one.height for one in own):
        own = [one for one in own if not one.factor]  # pixels say it better than a factor beside them
    placed: dict[Path, Any] = {}
    used: list[Measure] = []
    roles = _roles(slots)
    boxed = takes_place(slots)
    for one in sorted(own, key=lambda each: each.box is None):
        values = _boxed(slots, roles, one, image) if boxed else _sized(slots, roles, one, image)
        fresh = {path: value for path, value in values.items() if path not in placed}
        if fresh:
            placed.update(fresh)
            used.append(one)
    return Placed(placed, tuple(used))


def plain_choices(slots: Sequence[Slot], clause: str) -> str:
    """Return a clause without the words that look like a choice and are none.

    ``Read the words in it`` speaks of what is read and chooses no layout, and ``exactly 450 pixels`` no fit.
    """
    if not takes_image(slots):
        return clause
    choices = {one for slot in slots for one in slot.schema.get("enum") or () if isinstance(one, str)}
    clause = re.sub(r"\b(?:exact|precise)ly\b(?=\s+\d)", " ", clause, flags=re.IGNORECASE)
    for match in reversed([*re.finditer(r"\b[a-z]{2,30}s\b", clause)]):
        if match[0] not in choices and match[0][:-1] in choices:
            clause = clause[: match.start()] + clause[match.end() :]
    return clause


def place_mentions(
    slots: Sequence[Slot],
    text: str,
    goal: Goal,
    spoken: Sequence[Goal],
    image: Pixels,
    mentions: tuple[Mention, ...],
    values: dict[Path, Any],
    used: list[Mention],
) -> tuple[Mention, ...]:
    """Fill boxes and sizes in images into ``values``, and return the mentions that are no part of any.

    What was made use of is added to ``used``; the other arguments are those of `place`.
    """
    placed = place(slots, text, goal, spoken, image)
    values.update(placed.values)
    used.extend(one for one in mentions if any(_within(one, other) for other in placed.measures))
    measures = find_measures(text)
    return tuple(one for one in mentions if not any(_within(one, other) for other in measures))


def _within(mention: Mention, measure: Measure) -> bool:
    return mention.start < measure.end and measure.start < mention.end


def _roles(slots: Sequence[Slot]) -> dict[Path, str]:
    labels = {slot.path: re.sub(r"[^a-z0-9]", "", slot.label.lower()) for slot in slots}
    numeric = {slot.path for slot in slots if slot.kind in ("integer", "number") and not slot.many}
    names = set(labels.values())
    found = {path: _ROLES[label] for path, label in labels.items() if path in numeric and label in _ROLES}
    for axis, low, high in (("x", "left", "right"), ("y", "top", "bottom")):
        for path, label in labels.items():
            if path in numeric and label == f"{axis}1":
                found[path] = low if f"{axis}2" in names or f"{axis}0" not in names else high
    return found


def _is_box(slot: Slot) -> bool:
    if not slot.many or slot.kind not in ("integer", "number"):
        return False
    return bool(_BOX_WORDS & set(name_words(slot.label)))


def _boxed(slots: Sequence[Slot], roles: dict[Path, str], one: Measure, image: Pixels) -> dict[Path, Any]:
    box = one.box or _part_of(one, image)
    if box is None and one.width and one.height and image.width == 0:
        return {}
    if box is None:
        return {}
    left, top, right, bottom = box
    figures = {"left": left, "top": top, "right": right, "bottom": bottom}
    figures |= {"width": right - left, "height": bottom - top}
    found: dict[Path, Any] = {path: figures[role] for path, role in roles.items()}
    for slot in slots:
        if _is_box(slot):
            found[slot.path] = [left, top, right - left, bottom - top] if _by_extent(slot) else list(box)
    return found


def _by_extent(slot: Slot) -> bool:
    """Return whether an array is left, top, width, height by its description."""
    said = str(slot.schema.get("description") or "").lower() or " ".join(sorted(slot.about))
    words = set(re.findall(r"[a-z]+", said)) | set(slot.about)
    return {"width", "height"} <= words and not ({"right", "bottom"} & words)


def _part_of(one: Measure, image: Pixels) -> tuple[int, int, int, int] | None:
    if one.part is None or not (image.width and image.height):
        return None
    left, top, right, bottom = one.part
    return (
        round(left * image.width),
        round(top * image.height),
        round(right * image.width),
        round(bottom * image.height),
    )


def _sized(slots: Sequence[Slot], roles: dict[Path, str], one: Measure, image: Pixels) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    factors = [slot for slot in slots if _is_factor(slot)]
    if one.factor and factors:
        percent = bool(_PERCENT_WORDS & set(name_words(factors[0].label)))
        value = round(one.factor * (100 if percent else 1), 6)
        return {factors[0].path: round(value) if factors[0].kind == "integer" else value}
    width, height = one.width, one.height
    if one.factor and image.width and image.height:
        width, height = max(1, round(one.factor * image.width)), max(1, round(one.factor * image.height))
    for path, role in roles.items():
        figure = {"width": width, "height": height}.get(role, 0)
        if figure:
            found[path] = figure
    for slot in slots:
        if _is_size(slot) and width and height:
            found[slot.path] = [width, height]
    return found


def _is_size(slot: Slot) -> bool:
    return (
        slot.many and slot.kind in ("integer", "number") and bool(_SIZE_WORDS & set(name_words(slot.label)))
    )


def _is_factor(slot: Slot) -> bool:
    words = set(name_words(slot.label))
    return (
        slot.kind in ("integer", "number")
        and not slot.many
        and bool(words & (_FACTOR_WORDS | _PERCENT_WORDS))
    )
