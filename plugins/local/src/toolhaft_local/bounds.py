"""Bounds on chat templates, which are programs of strangers: how long they run and how much they write."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS = 10.0
"""For one conversation; real templates take milliseconds."""
LONGEST = 20_000_000
"""Characters that a template may write."""
_LARGEST_NUMBER = 1_000_000_000
_TEMPLATE = "<template>"
"""What Jinja calls the code that it makes of a template."""


class UnboundedError(ValueError):
    """A template that runs too long, or writes too much."""


@contextmanager
def bounded(*, seconds: float = SECONDS, longest: int = LONGEST) -> Iterator[None]:
    """Stop what a template does in this thread when it takes too long or writes too much.

    The sandbox of Jinja bounds single ranges, but not loops within loops. Python can look between two lines
    of what a template was compiled to, so a single step, such as a product of huge texts, is not stopped.

    Args:
        seconds: That rendering may take.
        longest: Characters that it may write.

    Raises:
        UnboundedError: Within the block.
    """
    end = time.monotonic() + seconds
    written = 0

    def step(_frame: FrameType, event: str, given: Any) -> Any:
        nonlocal written
        if event == "return" and isinstance(given, str):  # a piece of the text
            written += len(given)
            if written > longest:
                raise UnboundedError(f"it writes more than {longest:,} characters")
        elif time.monotonic() > end:
            raise UnboundedError(f"it runs longer than {seconds:g} seconds")
        return step

    def watch(frame: FrameType, _event: str, _given: Any) -> Any:
        return step if frame.f_code.co_filename == _TEMPLATE else None

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)


def check_source(template: str) -> None:
    """Raise for a template that computes with numbers that no text needs, before it is rendered.

    Raises:
        UnboundedError: It raises to a power, or has a number beyond all measure.
    """
    import jinja2

    before = ""
    try:
        for _, kind, text in jinja2.Environment(autoescape=False).lex(template):
            if kind == "operator" and text == "**" and before not in ("(", ","):
                raise UnboundedError("it raises numbers to a power")
            if kind == "integer" and int(text.replace("_", ""), 0) > _LARGEST_NUMBER:
                raise UnboundedError(f"it has the number {text[:40]}")
            if kind != "whitespace":
                before = text
    except jinja2.TemplateError:
        return  # rendering it says what is wrong
