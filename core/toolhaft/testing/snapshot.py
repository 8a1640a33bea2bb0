"""What importing a plugin must leave as it is: the process around it."""

from __future__ import annotations

import builtins
import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import Any

HEAVY = (
    "cv2",
    "datasets",
    "httpx",
    "jax",
    "matplotlib",
    "mcp",
    "numpy",
    "onnxruntime",
    "pandas",
    "peft",
    "PIL",
    "ray",
    "requests",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "tensorflow",
    "torch",
    "torchvision",
    "transformers",
    "trl",
)
"""Modules that cost more than a plugin's whole import may: to be imported when something is chosen."""

_WATCHED: tuple[tuple[Any, str], ...] = (
    (builtins, "open"),
    (builtins, "print"),
    (builtins, "__import__"),
    (json, "loads"),
    (json, "dumps"),
    (os, "getcwd"),
    (socket, "socket"),
    (socket, "create_connection"),
    (socket, "getaddrinfo"),
    (subprocess, "Popen"),
    (sys, "excepthook"),
    (sys, "settrace"),
    (threading, "Thread"),
    (warnings, "showwarning"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of the process at one moment."""

    modules: frozenset[str]
    threads: frozenset[int | None]
    watched: tuple[int, ...]
    state: dict[str, Any]


def take_snapshot() -> Snapshot:
    """Record what a plugin might change."""
    return Snapshot(
        modules=frozenset(sys.modules),
        threads=frozenset(thread.ident for thread in threading.enumerate()),
        watched=tuple(id(getattr(owner, name)) for owner, name in _WATCHED),
        state={
            "os.environ": dict(os.environ),
            "sys.path": list(sys.path),
            "the working folder": os.getcwd(),
            "the state of random": random.getstate(),
            "the root logger": (logging.root.level, [id(each) for each in logging.root.handlers]),
            "the socket timeout": socket.getdefaulttimeout(),
            "the warning filters": list(warnings.filters),
            "the signal handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        },
    )


def describe_changes(before: Snapshot, after: Snapshot) -> list[str]:
    """Return what is different, heavy imports and threads apart, as names."""
    pairs = zip(_WATCHED, before.watched, after.watched, strict=True)
    changed = [f"{owner.__name__}.{name}" for (owner, name), old, new in pairs if old != new]
    return changed + [name for name, old in before.state.items() if old != after.state[name]]


def heavy_imports(before: Snapshot, after: Snapshot) -> list[str]:
    """Return which heavy modules came in between."""
    return sorted({name.split(".")[0] for name in after.modules - before.modules} & set(HEAVY))
