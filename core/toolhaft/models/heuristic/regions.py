"""Boxes, sizes and factors in a text about images: ``from (10, 20) to (200, 180)``, ``320x240``, ``half``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

MEASURE_CAP = 24
TEXT_CAP = 4000
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""
_N = r"(\d{1,6})(?:\s?px|\s?pixels?)?"
_PAIR = rf"[\[(]?\s*(?:x\s*=\s*)?{_N}\s*,\s*(?:y\s*=\s*)?{_N}\s*[\])]?"
_CLOSED_PAIR = rf"[\[(]\s*(?:x\s*=\s*)?{_N}\s*,\s*(?:y\s*=\s*)?{_N}\s*[\])]"
_TO = r"(?:to|through|until|till|and|up to|down to|-|–|\.\.|->|→)"
_FOUR = re.compile(rf"[\[(]\s*{_N}\s*[,;\s]\s*{_N}\s*[,;\s]\s*{_N}\s*[,;\s]\s*{_N}\s*[\])]")
_BARE_FOUR = re.compile(rf"(?<![\d.,(\[]){_N}\s*,\s*{_N}\s*,\s*{_N}\s*,?\s*(?:and\s+)?{_N}(?!\d|\.\d|,\s*\d)")
_SPACED_FOUR = re.compile(
    r"(?<![\w.,-])(?<!\d\s)(\d{1,6})\s(\d{1,6})\s(\d{1,6})\s(\d{1,6})(?!\w|[.,]\d|\s\d|\s?%)"
)
_TIGHT_CORNERS = re.compile(
    r"(?<![\d.,])(\d{1,6}),\s?(\d{1,6})\s*(?:to|until|till|through|-+>?|–|\.\.|→)\s*(\d{1,6}),\s?(\d{1,6})"
    r"(?![\d]|[.,]\d)"
)
_CORNERS = re.compile(rf"{_CLOSED_PAIR}\s*[^.;\d\[(]{{0,40}}?{_CLOSED_PAIR}", re.IGNORECASE)
_BARE_CORNERS = re.compile(
    rf"\b(?:from|between|corners?(?: at)?|at)\s+{_PAIR}\s*{_TO}\s*{_PAIR}", re.IGNORECASE
)
_SIZED = re.compile(
    rf"{_N}\s*(?:x|×|by|\*)\s*{_N}(?:[^.;\d]{{0,50}}?)\b(?:at|from|with)\b[^.;\d]{{0,30}}?{_PAIR}",
    re.IGNORECASE,
)
_SIZED_AFTER = re.compile(
    rf"\b(?:at|from)\s+{_CLOSED_PAIR}[^.;\d]{{0,40}}?{_N}\s*(?:x|×|by|\*)\s*{_N}", re.IGNORECASE
)
_SPAN_X = re.compile(
    rf"\b(?:x|columns?|horizontally)\b\s*(?:=|:|from|between|ranging from|in)?\s*{_N}\s*{_TO}\s*"
    rf"(?:x\s*=\s*)?{_N}",
    re.IGNORECASE,
)
_SPAN_Y = re.compile(
    rf"\b(?:y|rows?|vertically)\b\s*(?:=|:|from|between|ranging from|in)?\s*{_N}\s*{_TO}\s*(?:y\s*=\s*)?{_N}",
    re.IGNORECASE,
)
_EDGES = ("left", "top", "right", "bottom")
_SIZE = re.compile(
    r"(?<![\w.-])(\d{1,6})\s*(?:px|pixels?)?\s*(?:x|×|by|\*)\s*(\d{1,6})(?:\s?px|\s?pixels?)?"
    r"(?!\w|\.\d|\s?(?:°|%|deg|percent))"
)
_WIDE = re.compile(
    r"(?<![\w.])(\d{1,6})[\s-]?(?:px|pixels?)?[\s-](?:wide|across|in width|broad)\b"
    r"|\b(?:width|wide|w)(?: of| to| is|:| =)?\s*(?:of |to )?=?\s*(\d{1,6})\b(?!\s*(?:x|×|by)\b)",
    re.IGNORECASE,
)
_HIGH = re.compile(
    r"(?<![\w.])(\d{1,6})[\s-]?(?:px|pixels?)?[\s-](?:high|tall|in height)\b"
    r"|\b(?:height|high|tall|h)(?: of| to| is|:| =)?\s*(?:of |to )?=?\s*(\d{1,6})\b(?!\s*(?:x|×|by)\b)",
    re.IGNORECASE,
)
_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fourth": 0.25, "fifth": 0.2, "tenth": 0.1}
_SHARE = re.compile(
    r"\b(?:to|by|at|of)\s+(?:an?|one)?[\s-]*(half|third|quarter|fourth|fifth|tenth)\b(?!\s+of the \w+)"
    r"|\b(half|a third|a quarter|a fourth|a fifth|a tenth)\s+"
    r"(?:as\s+\w+|(?:of\s+)?(?:its|the|their)\b[\w\s]{0,20}?(?:size|width|height|dimensions?|scale|big|large)"
    r"|(?:of )?(?:the |its )?(?:size|scale|resolution))",
    re.IGNORECASE,
)
_HALVE = re.compile(r"\bhalv(?:e|ed|ing)\b", re.IGNORECASE)
_TIMES = {
    "double": 2.0,
    "doubled": 2.0,
    "doubling": 2.0,
    "twice": 2.0,
    "triple": 3.0,
    "tripled": 3.0,
    "thrice": 3.0,
}
_MULTIPLE = re.compile(r"\b(double[d]?|doubling|twice|tripled?|thrice)\b", re.IGNORECASE)
_COUNT = r"\d{1,2}(?:\.\d)?|two|three|four|five|ten"
_GROWTH = r"larger|bigger|smaller|big|large|enlarged?|magnif\w+|grow|blow|zoom|shrink|upscale|scale"
_FACTOR = re.compile(
    r"\b(?:factor(?: of)?|scale(?: of| by| it by)?|ratio(?: of)?)\s*=?\s*(\d{1,3}(?:\.\d{1,6})?|\.\d{1,6})"
    r"(?![\w%]|\s?%|\s*(?:x|×|px|pixels|by))|\bby\s+(\d\.\d{1,6})\b"
    rf"|\b({_COUNT})\s*(?:times|x)\s+(?:as|the|its|more|in size|{_GROWTH})"
    rf"|\b(?:{_GROWTH})\s(?:\w+\s){{0,3}}?({_COUNT})\s*(?:times|x)\b"
    rf"|\b(?:{_GROWTH}|augment|increase)\b[^.,;\d]{{0,30}}\bby (\d{{1,2}})\b"
    r"(?!\s?(?:%|px|per|x|×|pix|by|deg))"
    rf"|\b({_COUNT})[\s-]?fold\b"
    r"|(?<![\w.])(\d{1,2}(?:\.\d)?)[x×](?![\w]|\s?\d)"
    r"|(?<![\w.])[x×](\d{1,2}(?:\.\d)?)(?!\w|\.\d|\s?[=:,]\s?\d|\s(?:from|to)\b)",
    re.IGNORECASE,
)
_ENDS_SMALLER = re.compile(r"(?:smaller|shrink|reduc|down|less)", re.IGNORECASE)
_WORDED = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "ten": 10.0}
_TENS = "ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_PERCENT = re.compile(
    rf"\b(to|by|at)?\s*(?:about\s+)?(\d{{1,3}}(?:\.\d{{1,4}})?|{_TENS})\s?(?:%|percent\b|per cent\b)",
    re.IGNORECASE,
)
_SMALLER = re.compile(r"\b(?:shrink|reduc|decreas|small|down)", re.IGNORECASE)
_LARGER = re.compile(r"\b(?:enlarg|increas|larg|grow|bigger|magnif|up)", re.IGNORECASE)
_PART = re.compile(
    r"\b(?:(?P<row>upper|top|bottom|lower|(?<=the )(?:up|under|down))(?:most)?[\s-]*)?"
    r"(?P<column>left|right)?(?:most)?(?:[\s-]*hand)?(?:[\s-]+sided?)?[\s-]*"
    r"(?P<share>half|third|quarter|quadrant|corner)\b",
    re.IGNORECASE,
)
_PART_OF = re.compile(
    r"\b(?P<share>half|third|quarter)\s+(?:of|on|at|to|from|in)\s+(?:the\s+)?"
    r"(?:(?P<row>upper|top|bottom|lower|up|under|down|above|below)|(?P<column>left|right))\b",
    re.IGNORECASE,
)
_SIDE = re.compile(
    r"\b(?:(?P<row>upper|top|bottom|lower)|(?P<column>left|right))(?:most)?(?:[\s-]*hand)?\s+(?P<share>side|part)\b"
    r"(?!\s*[:=]?\s*\d)",
    re.IGNORECASE,
)
"""What is said of a side is done to its half: nobody says how far a side goes."""
_MIDDLE = re.compile(
    r"\b(?:central|centre|center|middle)\s+(?P<share>half|third|quarter|part|region|area|section)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A box, a size, a factor or a part of an image that a text states.

    Attributes:
        start: First character; ``end`` is one past the last.
        box: Left, top, right, bottom in pixels.
        width: Pixels; 0 where the text does not say, likewise ``height``.
        factor: By how much it is to be larger; 0 where the text does not say.
        part: Left, top, right, bottom as shares of the image, in [0, 1].
    """

    start: int
    end: int
    box: Box | None = None
    width: int = 0
    height: int = 0
    factor: float = 0.0
    part: tuple[float, float, float, float] | None = None


@lru_cache(maxsize=64)
def find_measures(text: str) -> tuple[Measure, ...]:
    """Return what a text states of places and sizes in images, in order; none overlap.

    At most 24 are looked for, in the first 4,000 characters.
    """
    text = text[:TEXT_CAP]
    found: list[Measure] = []
    for finder in (_boxes, _sizes, _factors, _parts):
        for measure in islice(finder(text), MEASURE_CAP):
            overlaps = any(measure.start < one.end and one.start < measure.end for one in found)
            if not overlaps and len(found) < MEASURE_CAP:
                found.append(measure)
    return tuple(sorted(found, key=lambda one: one.start))


def masked(text: str, measures: Iterable[Measure]) -> str:
    """Return a text of the same length in which measures are digits, so that their commas end no clause."""
    for one in measures:
        if one.box is None and not one.width:
            continue
        text = f"{text[: one.start]}{'0' * (one.end - one.start)}{text[one.end :]}"
    return text


def _boxes(text: str) -> Iterator[Measure]:
    for pattern in (_FOUR, _CORNERS, _BARE_CORNERS, _BARE_FOUR, _TIGHT_CORNERS, _SPACED_FOUR):
        for match in pattern.finditer(text):
            a, b, c, d = (int(group) for group in match.groups())
            yield Measure(match.start(), match.end(), box=(a, b, c, d))
    for match in _SIZED.finditer(text):
        width, height, x, y = (int(group) for group in match.groups())
        yield Measure(match.start(), match.end(), box=(x, y, x + width, y + height))
    for match in _SIZED_AFTER.finditer(text):
        x, y, width, height = (int(group) for group in match.groups())
        yield Measure(match.start(), match.end(), box=(x, y, x + width, y + height))
    for one in islice(_SPAN_X.finditer(text), MEASURE_CAP):
        two = _SPAN_Y.search(text, one.end()) or _SPAN_Y.search(text)
        if two is not None and (two.start() >= one.end() or two.end() <= one.start()):
            box = int(one[1]), int(two[1]), int(one[2]), int(two[2])
            yield Measure(min(one.start(), two.start()), max(one.end(), two.end()), box=box)
    yield from _named_edges(text)


def _named_edges(text: str) -> Iterator[Measure]:
    found: dict[str, re.Match[str]] = {}
    for name in (*_EDGES, "width", "height"):
        match = re.search(rf"\b{name}(?: edge| side)?\s*(?:=|at|:|is)?\s*(\d{{1,6}})\b", text, re.IGNORECASE)
        if match is not None:
            found[name] = match
    if "left" not in found or "top" not in found:
        return
    left, top = int(found["left"][1]), int(found["top"][1])
    if "right" in found and "bottom" in found:
        box = left, top, int(found["right"][1]), int(found["bottom"][1])
    elif "width" in found and "height" in found:
        box = left, top, left + int(found["width"][1]), top + int(found["height"][1])
    else:
        return
    ends = [match.end() for match in found.values()]
    yield Measure(min(match.start() for match in found.values()), max(ends), box=box)


def _sizes(text: str) -> Iterator[Measure]:
    for match in _SIZE.finditer(text):
        yield Measure(match.start(), match.end(), width=int(match[1]), height=int(match[2]))
    for match in _WIDE.finditer(text):
        yield Measure(match.start(), match.end(), width=int(match[1] or match[2]))
    for match in _HIGH.finditer(text):
        yield Measure(match.start(), match.end(), height=int(match[1] or match[2]))


def _factors(text: str) -> Iterator[Measure]:
    for match in _SHARE.finditer(text):
        word = (match[1] or match[2]).split()[-1].lower()
        yield Measure(match.start(), match.end(), factor=_SHARES[word])
    for match in _HALVE.finditer(text):
        yield Measure(match.start(), match.end(), factor=0.5)
    for match in _MULTIPLE.finditer(text):
        times = _TIMES.get(match[1].lower(), 3.0)
        shrinks = _SMALLER.search(text[max(0, match.start() - 24) : match.start()])
        yield Measure(match.start(), match.end(), factor=1 / times if shrinks else times)
    for match in _FACTOR.finditer(text):
        said = next(group for group in match.groups() if group)
        factor = _WORDED[said.lower()] if said.lower() in _WORDED else float(said)
        if factor > 0:
            smaller = _ENDS_SMALLER.search(match[0]) is not None
            yield Measure(match.start(), match.end(), factor=1 / factor if smaller else factor)
    for match in _PERCENT.finditer(text):
        said = match[2].lower()
        share = (10 * (1 + _TENS.split("|").index(said)) if said.isalpha() else float(said)) / 100
        before = text[max(0, match.start() - 40) : match.start()]
        if (match[1] or "").lower() == "by":
            share = 1 - share if _SMALLER.search(before) else 1 + share if _LARGER.search(before) else share
        if share > 0:
            yield Measure(match.start(2), match.end(), factor=share)


def _parts(text: str) -> Iterator[Measure]:
    for pattern in (_PART, _PART_OF, _SIDE):
        for match in pattern.finditer(text):
            part = _part(match)
            if part is not None:
                yield Measure(match.start(), match.end(), part=part)
    for match in _MIDDLE.finditer(text):
        share = {"third": 1 / 3, "quarter": 0.25}.get((match["share"] or "").lower(), 0.5)
        edge = (1 - share) / 2
        yield Measure(match.start(), match.end(), part=(edge, edge, 1 - edge, 1 - edge))


def _part(match: re.Match[str]) -> tuple[float, float, float, float] | None:
    row, column = (match["row"] or "").lower(), (match["column"] or "").lower()
    share = match["share"].lower()
    if not row and not column:
        return None
    if row and column:
        across = down = 0.5
    elif share in ("quadrant", "corner"):
        return None
    else:
        across = down = {"third": 1 / 3, "quarter": 0.25}.get(share, 0.5)
    left, right = (0.0, across) if column == "left" else (1 - across, 1.0) if column else (0.0, 1.0)
    low = row in ("bottom", "lower", "under", "down", "below")
    top, bottom = (1 - down, 1.0) if low else (0.0, down) if row else (0.0, 1.0)
    return left, top, right, bottom
