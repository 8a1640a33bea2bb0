"""Trying plugins in a process of their own, which may hang or crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolhaft.hooks.record import PluginRecord
from toolhaft.testing.conformance import find_candidate
from toolhaft.testing.finding import Finding
from toolhaft.types import from_value

_LARGEST_REPORT = 4 << 20


class ChildDiedError(Exception):
    """The process hung or crashed; the message says how, as the rest of a sentence."""


def check_in_child(name: str, *, path: Iterable[str] = (), timeout: float = 10.0) -> list[Finding]:
    """Check an installed plugin as `check_plugin` does, in a process of its own.

    Args:
        name: Of the plugin or its distribution.
        path: More folders to look in.
        timeout: Seconds the process may take, Python's start included.

    Returns:
        What was found. A process that hung or crashed is one finding, of the check ``import``.

    Raises:
        UnknownNameError: It is not installed.
    """
    folders = [*sys.path, *path]
    find_candidate(name, folders)
    try:
        found = _run_child(["check", name], folders, timeout, fresh=True)
    except ChildDiedError as error:
        return [Finding(check="import", what=f"the process that imported it {error}")]
    return [from_value(Finding, each) for each in found]


def load_in_child(
    *, path: Iterable[str] = (), disabled: Iterable[str] = (), timeout: float = 30.0
) -> tuple[PluginRecord, ...]:
    """Load all plugins in a process of its own and return their records.

    Args:
        path: More folders to look in.
        disabled: Plugins to leave out, besides those that the user disabled.
        timeout: Seconds the process may take.

    Raises:
        ChildDiedError: The process hung or crashed; check the plugins one by one to find the culprit.
    """
    found = _run_child(["load", *disabled], [*sys.path, *path], timeout)
    return tuple(from_value(PluginRecord, each) for each in found)


def _run_child(arguments: list[str], folders: list[str], timeout: float, *, fresh: bool = False) -> list[Any]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}
    with tempfile.TemporaryDirectory(prefix="toolhaft-") as scratch:
        if fresh:  # what an earlier check found must not keep the plugin from being tried
            environment["TOOLHAFT_HOME"] = scratch
        report = Path(scratch) / "report.json"
        # -P: the folder it is started in is not on the path, as it is not for the command itself
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "toolhaft.testing", str(report), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ChildDiedError(f"hung: it was ended after {timeout:g} s") from None
        finally:
            _end(process)
        if status < 0:
            raise ChildDiedError(f"crashed: {signal.Signals(-status).name}")
        if not report.is_file() or report.stat().st_size > _LARGEST_REPORT:
            raise ChildDiedError(f"ended itself with status {status}")
        found = json.loads(report.read_bytes())
    return found if isinstance(found, list) else []


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
