"""StableToolBench's cache becomes one of ours.

Its layout is ``<category>/<tool>_for_<category>/<api>.json``, an object whose keys are Python's spelling of
the input and whose values are ``{"error": ..., "response": ...}``.

Source: Guo et al., "StableToolBench" (arXiv 2403.07714), section 3.1, the released cache. The keys are read
as literals; nothing is evaluated.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolhaft.errors import SpecError, UsageError
from toolhaft.tools.report import Problem
from toolhaft.tools.schema import nesting
from toolhaft_rapidapi.cache import Answer, AnswerCache, Question

_LARGEST_FILE = 64_000_000
_LONGEST_KEY = 20_000
_MOST_FILES = 500_000
_DEEPEST = 64
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """How an import went.

    Attributes:
        files: That were read.
        answers: That were kept.
        problems: What was left out, and why.
    """

    files: int
    answers: int
    problems: tuple[Problem, ...]


def import_cache(folder: Path | str, cache: AnswerCache) -> CacheReport:
    """Read a folder of StableToolBench's layout into a cache.

    Raises:
        UsageError: There is no such folder, or there are too many files.
        SpecError: It holds no answer.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(
            "there is no such folder", where=str(root), hint="Name the folder `tool_response_cache`"
        )
    problems: list[Problem] = []
    pending: list[tuple[Question, Answer]] = []
    files = kept = 0
    for path in _files(root):
        files += 1
        for pair in _read(path, path.relative_to(root).as_posix(), problems):
            pending.append(pair)
            if len(pending) >= _BATCH:
                kept += cache.put_all(pending)
                pending = []
    kept += cache.put_all(pending)
    if not kept:
        first = f": {problems[0]}" if problems else ""
        raise SpecError(
            f"there are no answers in it{first}",
            where=str(root),
            hint="The layout is CATEGORY/TOOL_for_CATEGORY/API.json",
        )
    return CacheReport(files=files, answers=kept, problems=tuple(problems))


def _files(root: Path) -> list[Path]:
    whole = root.resolve()
    found = []
    for path in root.glob("*/*/*.json"):
        if path.is_file() and path.resolve().is_relative_to(whole):
            found.append(path)
            if len(found) > _MOST_FILES:
                raise UsageError(f"there are more than {_MOST_FILES} files", where=str(root))
    return sorted(found)


def _read(path: Path, shown: str, problems: list[Problem]) -> Iterator[tuple[Question, Answer]]:
    category = path.parts[-3]
    tool = path.parts[-2].removesuffix(f"_for_{category}")
    document = _document(path, shown, problems)
    for index, (key, value) in enumerate(document.items()):
        given = _input(key)
        answer = _answer(value)
        if given is None or answer is None:
            what = "the input is no dictionary of literals" if given is None else "there is no `response`"
            problems.append(Problem(code="answer-malformed", message=f"entry {index}: {what}", file=shown))
            continue
        yield Question.of(category, tool, path.stem, given), answer


def _document(path: Path, shown: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"larger than {_LARGEST_FILE} bytes")
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and nesting(found, _DEEPEST) <= _DEEPEST:
            return found
        raise ValueError("not an object, or nested too deeply")
    except (OSError, ValueError, RecursionError) as error:
        message = f"cannot be read: {str(error)[:200]}"
        problems.append(Problem(code="file-unreadable", message=message, file=shown))
        return {}


def _input(key: str) -> dict[str, Any] | None:
    """Return the input that a key spells; literals alone are read."""
    if len(key) > _LONGEST_KEY:
        return None
    if not key.strip():
        return {}
    try:
        found = ast.literal_eval(key)
        if isinstance(found, str):  # some were kept as JSON text
            found = json.loads(found) if found.strip() else {}
        if not isinstance(found, dict):
            return None
        return {str(name): json.loads(json.dumps(value)) for name, value in found.items()}
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _answer(value: Any) -> Answer | None:
    if not isinstance(value, dict) or "response" not in value:
        return None
    error = value.get("error", "")
    response = value["response"]
    if isinstance(response, str) and response.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):  # what is no JSON stays text
            response = json.loads(response)
    return Answer(error=error if isinstance(error, str) else json.dumps(error)[:1000], response=response)
