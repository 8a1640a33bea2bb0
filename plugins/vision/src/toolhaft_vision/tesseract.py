"""The program tesseract: found, run without a shell, its table read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

from toolhaft.errors import InvalidArgumentsError, ToolError
from toolhaft_vision.encoding import png
from toolhaft_vision.picture import Pixels
from toolhaft_vision.text import LANGUAGE

INSTALL = (
    "Install it: 'apt-get install tesseract-ocr' (Debian, Ubuntu), 'dnf install tesseract' (Fedora), "
    "'brew install tesseract' (macOS), 'winget install UB-Mannheim.TesseractOCR' (Windows)"
)
_SECONDS = 50
_LAYOUTS = {"page": "3", "block": "6", "line": "7", "word": "8", "sparse": "11"}
_COLUMNS = ("level", "page_num", "block_num", "par_num", "line_num", "left", "top", "width", "height", "conf")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_KEPT = ("PATH", "TESSDATA_PREFIX", "SYSTEMROOT", "TEMP", "TMP")
"""Variables that it gets: keys and passwords of this process are none of its business."""


def find_tesseract() -> str:
    """Return the path of the program.

    Raises:
        ToolError: It is not installed; how to do so is said.
    """
    path = shutil.which("tesseract")
    if path is None:
        raise ToolError(
            "the program tesseract, which reads the text, is not installed",
            where="read_text",
            hint=INSTALL,
            code="E-TESSERACT-MISSING",
        )
    return path


def version() -> str:
    """Return the program's version, for example ``5.3.0``.

    Raises:
        ToolError: It is not installed, or does not run.
    """
    said = _run([find_tesseract(), "--version"], b"")
    found = re.search(r"tesseract v?([0-9][0-9.]{0,20})", said.stdout.decode("utf-8", "replace"))
    return found[1] if found else "of unknown version"


def run_tesseract(grey: Pixels, language: str, layout: str) -> list[list[dict[str, str]]]:
    """Read a picture.

    Args:
        grey: Height x width, 8 bits.
        language: As `toolhaft_vision.text.LANGUAGE` says.
        layout: A key of the layouts.

    Returns:
        Lines of words; a word is a row of the program's table, its numbers as text that is a number.

    Raises:
        InvalidArgumentsError: The language is none, or not installed.
        ToolError: The program is not installed, takes too long, or fails.
    """
    if re.fullmatch(LANGUAGE, language) is None:
        raise InvalidArgumentsError(
            f"{language[:60]!r} is no language",
            where="read_text#/language",
            hint="Give three letters such as eng, several with a plus: eng+deu",
            details={"pointer": "/language"},
        )
    words = [find_tesseract(), "stdin", "stdout", "-l", language, "--psm", _LAYOUTS[layout], "tsv"]
    done = _run(words, png(grey, "page").data)
    if done.returncode:
        raise _failure(done, language)
    return read_table(done.stdout.decode("utf-8", "replace"))


def _run(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        return subprocess.run(
            list(words),
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            # More threads than one make it slower on small pictures.
            env=kept | {"LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"tesseract gave no result after {_SECONDS} seconds",
            where="read_text",
            hint="Crop or shrink the image first",
        ) from None
    except OSError as error:
        raise ToolError(f"tesseract does not run: {error.strerror}", where=words[0], hint=INSTALL) from None


def _failure(done: subprocess.CompletedProcess[bytes], language: str) -> ToolError:
    said = done.stderr.decode("utf-8", "replace")
    if "loading language" in said or "load any languages" in said:
        return InvalidArgumentsError(
            f"tesseract has no data for the language {language!r}",
            where="read_text#/language",
            hint="Use eng, or install the language: 'apt-get install tesseract-ocr-deu' for deu, for example",
            details={"pointer": "/language"},
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return ToolError(
        f"tesseract failed with status {done.returncode}: {lines[-1][:200] if lines else 'it says nothing'}",
        where="read_text",
    )


def read_table(text: str) -> list[list[dict[str, str]]]:
    """Read the table that tesseract prints: tab-separated, one row a word among those of blocks and lines.

    Args:
        text: The table with its heading.

    Returns:
        Lines of words. Rows that are malformed or blank are left out.
    """
    heading, *rows = text.split("\n")
    names = heading.rstrip("\r").split("\t")
    lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        # A word may hold a tab no more than a blank: what follows the last column belongs to none.
        cells = dict(zip(names, row.rstrip("\r").split("\t"), strict=False))
        if cells.get("level") != "5" or not cells.get("text", "").strip():
            continue
        if not all(_NUMBER.fullmatch(cells.get(name, "")) for name in _COLUMNS):
            continue
        line = tuple(cells[name] for name in ("page_num", "block_num", "par_num", "line_num"))
        lines.setdefault(line, []).append(cells | {"text": cells["text"].strip()})
    return list(lines.values())
