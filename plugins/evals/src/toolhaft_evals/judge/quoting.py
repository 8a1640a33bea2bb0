"""What was said by others, written so that a judge can tell it from what it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolhaft.text import clean, shorten
from toolhaft.types import Step, ToolSpec, Trajectory

MARK = "| "
LONGEST_TEXT = 8_000
"""Characters of a request or an answer that a judge is shown."""
LONGEST_OBSERVATION = 1_000
LONGEST_PATH = 24_000


def quote(text: str, limit: int = LONGEST_TEXT) -> str:
    """Return a text with a mark before every line, whatever separates its lines; an empty one as a note.

    No text can end the quotation: each of its lines has the mark. What a reader could not see is left out.

    Args:
        text: Untrusted.
        limit: Characters that are shown; an ellipsis stands for the rest.
    """
    shown = clean(text, limit)
    if not shown.strip():
        return f"{MARK}(empty)"
    return "\n".join(f"{MARK}{line}" for line in shown.splitlines())


def section(title: str, text: str, limit: int = LONGEST_TEXT) -> str:
    """Return a heading of ours with quoted material below it."""
    return f"{title}:\n{quote(text, limit)}"


def path_text(trajectory: Trajectory) -> str:
    """Return the way to the answer as text: thoughts, calls and what came back, each cut to a length."""
    lines: list[str] = []
    for number, step in enumerate(trajectory.path(), 1):
        lines += _step_lines(number, step)
    return shorten("\n".join(lines), LONGEST_PATH)


def tools_text(tools: Sequence[ToolSpec]) -> str:
    """Return functions with their descriptions and arguments as text."""
    shown = (
        f"{spec.name}: {shorten(spec.description, 300)} Arguments: {', '.join(spec.properties) or 'none'}"
        for spec in tools
    )
    return shorten("\n".join(shown), LONGEST_PATH)


def _step_lines(number: int, step: Step) -> list[str]:
    lines = [f"{number}. says: {shorten(step.thought, 1_000)}"] if step.thought and step.calls else []
    for position, call in enumerate(step.calls):
        arguments = call.raw or json.dumps(call.arguments, ensure_ascii=False)
        lines.append(f"{number}. calls {call.name} with {shorten(arguments, 1_000)}")
        if position < len(step.observations):
            said = shorten(step.observations[position].text(), LONGEST_OBSERVATION)
            lines.append(f"{number}. gets: {said}")
    return lines
