"""Transcripts in the form ``Thought:``, ``Action:``, ``Action Input:``, ``Observation:``, ``AI:``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from toolhaft.types import Trajectory

LONGEST = 200_000
"""Characters of a transcript that are read."""
_THOUGHT = re.compile(r"Do I need to use a tool\?[ \t]*([A-Za-z]+)")
_NAMES = "Thought|Action Input|Action|Observation|AI"
_FIELD = re.compile(
    rf"^[ \t]*({_NAMES})[ \t]*:[ \t]*(.*?)(?=^[ \t]*(?:{_NAMES})[ \t]*:|\Z)", re.DOTALL | re.MULTILINE
)
_WORD = re.compile(r"[^\s,'\"()\[\]{}]+")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """One use of a tool: its name, and its input as it is written."""

    action: str
    argument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a transcript says.

    Attributes:
        thoughts: The answers to "Do I need to use a tool?", in order.
        steps: The uses of tools.
        answer: What the user is told; None if it says nothing to the user.
    """

    thoughts: tuple[str, ...] = ()
    steps: tuple[ToolStep, ...] = ()
    answer: str | None = None


def read_transcript(text: str) -> Transcript:
    """Read a transcript; what does not fit the form is left out."""
    text = text[:LONGEST]
    steps: list[ToolStep] = []
    answer: str | None = None
    for match in _FIELD.finditer(text):
        name, value = match[1], match[2].strip()
        if name == "Action":
            steps.append(ToolStep(action=value))
        elif name == "Action Input" and steps and not steps[-1].argument:
            steps[-1] = ToolStep(action=steps[-1].action, argument=value)
        elif name == "AI":
            answer = value
    return Transcript(thoughts=tuple(_THOUGHT.findall(text)), steps=tuple(steps), answer=answer)


def transcript_of(trajectory: Trajectory) -> Transcript:
    """Return a trajectory as a transcript: a prediction by its text, a rollout by its calls and answer."""
    path = trajectory.path()
    calls = [call for step in path for call in step.calls]
    if not calls:
        found = read_transcript(trajectory.answer)
        plain = not found.thoughts and not found.steps and found.answer is None
        if plain and trajectory.planner != "prediction":
            return Transcript(thoughts=("No",), answer=trajectory.answer)
        return found
    steps = tuple(ToolStep(action=call.name, argument=json.dumps(call.arguments)) for call in calls)
    return Transcript(thoughts=("Yes",) * len(steps) + ("No",), steps=steps, answer=trajectory.answer)


def files_in(text: str) -> tuple[str, ...]:
    """Return the names of image files in a text, in their order."""
    words = (word.rstrip(".;:!?") for word in _WORD.findall(text))
    return tuple(word for word in words if word.lower().endswith(_ENDINGS))


def read_argument(text: str) -> Any:
    """Return an input as JSON, if it is an object or a list of it; else its files and its words."""
    if len(text) <= LONGEST and text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    files = files_in(text)
    others = [word for word in _WORD.findall(text) if word.rstrip(".;:!?") not in files]
    return {"files": list(files), "words": re.findall(r"\w+", " ".join(others).casefold())}
