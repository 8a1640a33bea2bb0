"""What a message without calls means."""

from __future__ import annotations

import re
from typing import Literal

from toolhaft.planners.evidence import is_question
from toolhaft.types import Completion

Ending = Literal["answered", "asked", "gave_up", "refused", "silent"]
_GIVE_UP = re.compile(r"^[ \t*_#>\"'`(\[]*GIVE[ _-]UP\b[\s*_#\"'`)\].:,;-]*", re.MULTILINE)
"""At the beginning of a line: language models often say first why."""


def read_ending(completion: Completion) -> Ending:
    """Return what a message without calls means: an answer, a question, a give-up, a refusal, nothing."""
    if completion.finish == "refusal":
        return "refused"
    if completion.finish == "gave_up" or _GIVE_UP.search(completion.text):
        return "gave_up"
    if not completion.text.strip():
        return "silent"
    return "asked" if is_question(completion.text) else "answered"


def reason_of(completion: Completion) -> str:
    """Return why the model gave up, in its own words, without the mark that says that it did."""
    return _GIVE_UP.sub("", completion.text, count=1).strip() or completion.text.strip()
