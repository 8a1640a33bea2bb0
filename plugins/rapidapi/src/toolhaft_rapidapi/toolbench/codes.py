"""What came back from a call in ToolBench: a text, and a status code beside it.

Source: Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs" (ICLR
2024), the status codes of the published answer files. Deviation: code 0 with an error in its text counts as
failed, for the reference gives it to parse, gateway and execution errors, too; codes 7 and 8 are taken as
documented, though the reference has them the other way round.
"""

from __future__ import annotations

import json
from typing import Any

from toolhaft.types import ErrorInfo, Observation, Part, Provenance, TextPart

FINISHED = 3
GAVE_UP = 4
MEANINGS = {
    0: "done",
    1: "no such function",
    2: "wrong input",
    3: "final answer",
    4: "gave up",
    5: "timeout",
    6: "not found or not working",
    7: "not subscribed",
    8: "not authorised",
    9: "too many requests",
    10: "rate limit",
    11: "the reply speaks of an error",
    12: "the request failed",
}
_OURS = {
    1: "E-TOOL-UNKNOWN",
    2: "E-TOOL-ARGUMENTS",
    5: "E-TOOL-TIMEOUT",
    9: "E-HTTP-RATE",
    10: "E-HTTP-RATE",
    6: "E-HTTP-STATUS",
    7: "E-HTTP-STATUS",
    8: "E-HTTP-STATUS",
    12: "E-HTTP-STATUS",
}
_THEIRS = {
    "E-TOOL-UNKNOWN": 1,
    "E-TOOL-ARGUMENTS": 2,
    "E-TOOL-TIMEOUT": 5,
    "E-HTTP-RATE": 9,
}
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
        error = ErrorInfo(
            code=_OURS.get(code, "E-TOOL"),
            what=(problem or MEANINGS.get(code, f"status code {code}"))[:_LONGEST],
            retryable=code in (5, 9, 10),
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
    ours = error.details.get("status_code")
    if not (isinstance(ours, int) and 0 < ours <= max(MEANINGS)):
        ours = _THEIRS.get(error.code, 12)
    return json.dumps({"error": observation.text(), "response": ""}, ensure_ascii=False), ours


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
