"""Reading text with the program tesseract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from toolhaft_vision.picture import Picture
from toolhaft_vision.results import Box, Limitations, Method, Overlay
from toolhaft_vision.tool import OVERLAY, image_tool

Layout = Literal["page", "block", "line", "word", "sparse"]
Confidence = Annotated[float, "How sure the reader is, 0 to 100."]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRead:
    """One word."""

    text: str
    box: Box
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRead:
    """One line of text."""

    text: str
    box: Box
    confidence: Confidence
    words: tuple[WordRead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRead:
    """The text in an image; whoever made the image chose it."""

    text: Annotated[str, "All lines."]
    lines: tuple[LineRead, ...]
    confidence: Annotated[float, "Mean over the words, 0 to 100; 0 where there are none."]
    language: str
    overlay: Overlay
    method: Method
    limits: Limitations


LANGUAGE = r"^[A-Za-z][A-Za-z0-9_]{1,30}(\+[A-Za-z][A-Za-z0-9_]{1,30}){0,4}$"
"""Names of languages as tesseract has them, with a plus sign between: never an option or a path."""

TOOL = image_tool(
    "read_text",
    "Read the text in an image (OCR), such as a scan, a screenshot, an invoice, a sign or a label: all text, "
    "and each line and word with its place and confidence.",
    result=TextRead,
    function="toolhaft_vision.text:read_text",
    parameters={
        "language": {
            "type": "string",
            "pattern": LANGUAGE,
            "default": "eng",
            "description": "Language of the text in three letters, several with a plus: eng, deu, eng+fra.",
        },
        "layout": {
            "type": "string",
            "enum": ["page", "block", "line", "word", "sparse"],
            "default": "block",
            "description": "What the image shows: a whole page with columns, one block of text, one line, "
            "one word, or scattered text.",
        },
        "overlay": OVERLAY,
    },
    tags=(
        "ocr",
        "text",
        "read",
        "scan",
        "document",
        "words",
        "letters",
        "written",
        "printed",
        "transcribe",
        "invoice",
        "sign",
    ),
    examples=({"image": "img-1"}, {"image": "img-1", "language": "deu", "layout": "page"}),
    timeout=60,
    untrusted=True,
)

_WORKING = 4_000
_WORDS = 5_000


def read_text(
    picture: Picture, *, language: str = "eng", layout: Layout = "block", overlay: bool = False
) -> TextRead:
    """Read printed text.

    Args:
        picture: What to read.
        language: As `LANGUAGE` says.
        layout: How the text is set.
        overlay: Also draw the boxes of the lines.

    Raises:
        InvalidArgumentsError: The language is none.
        ToolError: tesseract is not installed, lacks the language, or fails.
    """
    from toolhaft_vision.tesseract import run_tesseract, version

    small, factor = picture.shrunk(_WORKING)
    lines = [
        _line([_word(row, factor, picture) for row in rows])
        for rows in run_tesseract(small.grey, language, layout)[:_WORDS]
    ]
    words = [word for line in lines for word in line.words]
    return TextRead(
        text="\n".join(line.text for line in lines),
        lines=tuple(lines),
        confidence=round(sum(word.confidence for word in words) / len(words), 1) if words else 0.0,
        language=language,
        overlay=_overlay(picture, lines) if overlay else None,
        method=f"tesseract {version()}, layout {layout}"
        + ("" if factor == 1 else f", on the image scaled by {factor:.2f}"),
        limits="printed text, upright within about 5 degrees, letters of 20 pixels or more; handwriting, "
        "curved text and busy backgrounds are misread; read what has low confidence with doubt",
    )


def _word(row: dict[str, str], factor: float, picture: Picture) -> WordRead:
    left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
    return WordRead(
        text=row["text"],
        box=(
            max(0, round(left / factor)),
            max(0, round(top / factor)),
            min(picture.width, round((left + width) / factor)),
            min(picture.height, round((top + height) / factor)),
        ),
        confidence=round(max(0.0, float(row["conf"])), 1),
    )


def _line(words: list[WordRead]) -> LineRead:
    boxes = [word.box for word in words]
    return LineRead(
        text=" ".join(word.text for word in words),
        box=(
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        ),
        confidence=round(min(word.confidence for word in words), 1),
        words=tuple(words),
    )


def _overlay(picture: Picture, lines: list[LineRead]) -> Overlay:
    from toolhaft_vision.drawing import draw

    return draw(picture, boxes=[line.box for line in lines])
