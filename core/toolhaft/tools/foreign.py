"""Calls into libraries that keep state for the whole process and raise anything at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call.

    Attributes:
        value: What it returned.
        error: What it raised instead; None if it returned.
    """

    value: Any = None
    error: BaseException | None = None


def call_alone(function: Callable[..., Any], *arguments: Any) -> Outcome:
    """Call a function while no other thread of the process is in such a call; blocks.

    Loading a model is one: transformers switches settings of the whole process meanwhile, so that two models
    loaded at once lose weights, and its tokenizers raise bare exceptions for damaged files. What is raised
    comes back to be looked at, instead of being caught by its class.

    Args:
        function: Runs in a thread of its own, which is waited for.
        *arguments: For it.
    """
    with _ALONE, ThreadPoolExecutor(1, thread_name_prefix="toolhaft-alone") as pool:
        call = pool.submit(function, *arguments)
        error = call.exception()
    return Outcome(error=error) if error is not None else Outcome(value=call.result())
