"""The chat template for models that have none: one text file."""

from functools import cache
from importlib.resources import files


@cache
def plain_template() -> str:
    """Return the built-in chat template."""
    return files(__name__).joinpath("plain.jinja").read_text(encoding="utf-8")
