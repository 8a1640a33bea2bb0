"""What came back from a call in ToolBench: a text, and a status code beside it.

Source: Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs" (ICLR
2024), the status codes of the published answer files. Deviation: code 0 with an error in its text counts as
failed, for the reference gives it to parse, gateway and execution errors, too; codes 7 and 8 are taken as
documented, though the reference has them the other way round.
"""

from __future__ import annotations

import json
from typing import Any

from toolhaft.errors import ToolError
from toolhaft.types import ErrorInfo, Observation, Part, Provenance, TextPart
from toolhaft_rapidapi.statuses import ERRORS, MEANINGS, StatusCode, code_of

FINISHED = int(StatusCode.FINAL_ANSWER)
GAVE_UP = int(StatusCode.GIVE_UP)
_RETRYABLE = (StatusCode.TIMEOUT, StatusCode.TOO_MANY_REQUESTS, StatusCode.RATE_LIMIT)
_LONGEST = 500


def observation_of(
    text: str, code: int, *, call_id: str, tool: str, provenance: Provenance = "replayed"
) -> Observation:
    """Return an observation from ToolBench's text and code.

    A failed one keeps both in its error's details, under ``observation`` and ``code``.
    """
    problem = _error_text(text)
    error = None
    parts: tuple[Part, ...] = ()
    if code or problem:
        known = StatusCode(code) if 0 <= code <= max(StatusCode) else None
        kind = (ERRORS[known] if known is not None else None) or ToolError
        meaning = MEANINGS[known] if known is not None else f"status code {code}"
        error = ErrorInfo(
            code=kind.code,
            what=(problem or meaning)[:_LONGEST],
            retryable=known in _RETRYABLE,
            details={"code": code, "observation": text},
        )
    elif text:
        parts = (TextPart(text),)
    return Observation(
        call_id=call_id,
        tool=tool[:64],
        parts=parts,
        error=error,
        provenance=provenance,
        labels=(f"tool:{tool[:64]}",),
    )


def text_and_code(observation: Observation) -> tuple[str, int]:
    """Return ToolBench's text and code of an observation: as imported, else in its layout of an error."""
    error = observation.error
    if error is None:
        return observation.text(), 0
    kept, code = error.details.get("observation"), error.details.get("code")
    if isinstance(kept, str) and isinstance(code, int) and not isinstance(code, bool):
        return kept, code
    said = json.dumps({"error": observation.text(), "response": ""}, ensure_ascii=False)
    return said, int(code_of(observation))


def _error_text(text: str) -> str:
    """Return the error in ``{"error": ..., "response": ...}``; the text may be cut anywhere."""
    if not text.startswith("{"):
        return ""
    found: Any = None
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        found = _cut_error(text)
    said = found.get("error") if isinstance(found, dict) else None
    return said.strip() if isinstance(said, str) else ""


def _cut_error(text: str) -> dict[str, str]:
    opening = text[1:].lstrip()
    if not opening.startswith('"error"'):
        return {}
    after = opening[len('"error"') :].lstrip()
    if not after.startswith(":"):
        return {}
    try:
        said, _ = json.JSONDecoder(strict=False).raw_decode(after[1:].lstrip())
    except (ValueError, RecursionError):
        return {}
    return {"error": said} if isinstance(said, str) else {}
