"""What exported records say where ToolBench's have a prompt: one text file each."""

from functools import cache
from importlib.resources import files


@cache
def prompt(name: str) -> str:
    """Return a text by its file name without suffix."""
    return files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").strip()
