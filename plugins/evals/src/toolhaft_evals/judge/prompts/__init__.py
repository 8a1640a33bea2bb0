"""What judges are asked: one text file a prompt, recorded by its SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt as it is shown.

    Attributes:
        name: Of its file, without suffix.
        text: What a judge is told first.
        digest: SHA-256 of the text, 64 hexadecimal digits.
        labels: The verdicts it asks for.
    """

    name: str
    text: str
    digest: str
    labels: tuple[str, ...]


_LABELS = {
    "pass_answer": ("Solved", "Unsure", "Unsolved"),
    "pass_path": ("Solved", "Unsure", "Unsolved"),
    "solvable": ("Solvable", "Unsure", "Unsolvable"),
    "win": ("A", "tie", "B"),
}


@cache
def prompt(name: str) -> Prompt:
    """Return a prompt by its name, with the rules that all of them share."""
    own, shared = (_read(each) for each in (name, "shared"))
    text = f"{own}\n\n{shared}"
    return Prompt(name=name, text=text, digest=sha256(text.encode()).hexdigest(), labels=_LABELS[name])


def _read(name: str) -> str:
    return files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").strip()
