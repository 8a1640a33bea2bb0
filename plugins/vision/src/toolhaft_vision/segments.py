"""Straight segments as numbers: joined where they continue each other, paired where they are two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

_ANGLE = math.radians(3)
_ASIDE = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A straight piece with a direction: a detector puts the brighter side always on the same hand.

    Attributes:
        x: Where it begins, pixels.
        y: Likewise.
        angle: Of its direction, radians, clockwise as y points down.
        length: Pixels.
        thickness: Distance between its two sides; 0 where only one was seen.
    """

    x: float
    y: float
    angle: float
    length: float
    thickness: float = 0.0

    @property
    def end(self) -> tuple[float, float]:
        """Where it ends."""
        return self.x + self.length * math.cos(self.angle), self.y + self.length * math.sin(self.angle)

    def along(self, x: float, y: float) -> float:
        """Return how far along its direction a point lies, from where it begins."""
        return (x - self.x) * math.cos(self.angle) + (y - self.y) * math.sin(self.angle)

    def aside(self, x: float, y: float) -> float:
        """Return how far beside it a point lies, with a sign."""
        return (y - self.y) * math.cos(self.angle) - (x - self.x) * math.sin(self.angle)

    def span(self, other: Segment) -> tuple[float, float]:
        """Return from where to where another reaches along this one."""
        ends = self.along(other.x, other.y), self.along(*other.end)
        return min(ends), max(ends)

    def distance(self, other: Segment) -> float:
        """Return how far the farther end of another lies beside this one."""
        return max(abs(self.aside(other.x, other.y)), abs(self.aside(*other.end)))


def segment(x: float, y: float, end_x: float, end_y: float) -> Segment:
    """Make a segment of its two ends."""
    across, down = end_x - x, end_y - y
    return Segment(x=x, y=y, angle=math.atan2(down, across), length=math.hypot(across, down))


def turned(angle: float, other: float) -> float:
    """Return the angle between two directions, 0 to pi."""
    difference = abs(angle - other) % (2 * math.pi)
    return min(difference, 2 * math.pi - difference)


def join(segments: Sequence[Segment], gap: float) -> list[Segment]:
    """Make one segment of those that continue each other in one direction.

    Args:
        segments: In any order.
        gap: Pixels between them that are bridged.

    Returns:
        The longest first.
    """
    waiting = sorted(segments, key=lambda each: -each.length)
    made: list[Segment] = []
    while waiting:
        first, *rest = waiting
        grown, waiting = _grow(first, rest, gap)
        made.append(grown)
    return sorted(made, key=lambda each: -each.length)


def _grow(first: Segment, others: list[Segment], gap: float) -> tuple[Segment, list[Segment]]:
    """Take up others until none continues it any more; return it and those left."""
    while True:
        taken = [other for other in others if _continues(first, other, gap)]
        if not taken:
            return first, others
        left = {id(other) for other in taken}
        others = [other for other in others if id(other) not in left]
        first = _fitted([first, *taken])


def _continues(first: Segment, other: Segment, gap: float) -> bool:
    # Short pieces have no certain direction: their ends must lie close instead.
    if turned(first.angle, other.angle) > max(_ANGLE, min(0.3, 2 / max(other.length, 1))):
        return False
    low, high = first.span(other)
    # Across a gap nearly as long as the pieces themselves, anything would continue anything.
    gap = min(gap, first.length / 4)
    return (
        low <= first.length + gap
        and high >= -gap
        and first.distance(other) <= _ASIDE + 0.004 * (max(first.length, high) - min(0.0, low))
    )


def _fitted(parts: Sequence[Segment]) -> Segment:
    """Return one segment through several: their common line, from the first end to the last."""
    whole = sum(part.length for part in parts)
    centres = [((part.x + part.end[0]) / 2, (part.y + part.end[1]) / 2) for part in parts]
    x = sum(part.length * centre[0] for part, centre in zip(parts, centres, strict=True)) / whole
    y = sum(part.length * centre[1] for part, centre in zip(parts, centres, strict=True)) / whole
    spread = [0.0, 0.0, 0.0]
    for part in parts:
        for end in ((part.x, part.y), part.end):
            across, down = end[0] - x, end[1] - y
            spread[0] += part.length * across * across
            spread[1] += part.length * down * down
            spread[2] += part.length * across * down
    angle = math.atan2(2 * spread[2], spread[0] - spread[1]) / 2
    if turned(angle, parts[0].angle) > math.pi / 2:
        angle += math.pi
    line = Segment(x=x, y=y, angle=angle, length=0.0)
    return _between(line, [line.span(part) for part in parts])


def _between(line: Segment, spans: Sequence[tuple[float, float]]) -> Segment:
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    x, y = line.x + low * math.cos(line.angle), line.y + low * math.sin(line.angle)
    return replace(line, x=x, y=y, length=high - low)


def pair(segments: Sequence[Segment], thickest: float) -> list[Segment]:
    """Make one line of two sides that run in opposite directions beside each other.

    Args:
        segments: Joined ones.
        thickest: Pixels between the two sides at most.

    Returns:
        Lines with their thickness, and the segments that have no other side; the longest first. What
        lies within a line that was made is left out.
    """
    waiting = sorted(segments, key=lambda each: -each.length)
    made: list[Segment] = []
    while waiting:
        first = waiting.pop(0)
        sides = [other for other in waiting if _is_other_side(first, other, thickest)]
        if sides:
            other = min(sides, key=lambda each: abs(_apart(first, each)))
            waiting = [each for each in waiting if each is not other]
            first = _centred(first, other)
        waiting = [each for each in waiting if not _lies_within(first, each)]
        made.append(first)
    return sorted(made, key=lambda each: -each.length)


def _is_other_side(first: Segment, other: Segment, thickest: float) -> bool:
    if turned(first.angle, other.angle + math.pi) > _ANGLE or first.distance(other) > thickest:
        return False
    low, high = first.span(other)
    return min(high, first.length) - max(low, 0.0) >= 0.5 * other.length and other.length > 0.5 * first.length


def _apart(first: Segment, other: Segment) -> float:
    return (first.aside(other.x, other.y) + first.aside(*other.end)) / 2


def _centred(first: Segment, other: Segment) -> Segment:
    aside = _apart(first, other)
    x = first.x - math.sin(first.angle) * aside / 2
    y = first.y + math.cos(first.angle) * aside / 2
    line = replace(first, x=x, y=y, thickness=abs(aside))
    return _between(line, [line.span(first), line.span(other)])


def _lies_within(line: Segment, other: Segment) -> bool:
    low, high = line.span(other)
    reach = line.thickness / 2 + 2
    return (
        other.length < line.length
        and line.distance(other) <= reach
        and low >= -reach - line.thickness
        and high <= line.length + reach + line.thickness
    )
