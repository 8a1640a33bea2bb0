"""What is said to language models besides the conversation: one text file a prompt."""

from functools import cache
from importlib.resources import files


@cache
def prompt(name: str) -> str:
    """Return the text of a prompt by its file name without suffix."""
    return files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").strip()
