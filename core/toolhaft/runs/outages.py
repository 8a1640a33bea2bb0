"""When to stop a batch because what every job needs is down: the model, or the hosts of the tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.errors import ModelError

_FEWEST_FAILURES = 8
_FEWEST_UNREACHED = 16


class Outages:
    """Counts the jobs in a row that failed by the same lack.

    Args:
        concurrency: Jobs under way at once; twice as many fail together before it means anything.

    Attributes:
        unreached: Positions of the jobs in a row none of whose calls reached a host.
        stopped: Whether these ended the batch.
    """

    def __init__(self, concurrency: int) -> None:
        self._model_limit = max(_FEWEST_FAILURES, 2 * concurrency)
        self._tool_limit = max(_FEWEST_UNREACHED, 2 * concurrency)
        self._model_failures = 0
        self.unreached: list[int] = []
        self.stopped = False

    def note(self, position: int, verdict: str, result: Mapping[str, Any]) -> str:
        """Count a job, and return why to stop: no job would do better; empty if there is no reason."""
        return self._note_model(verdict, result) or self._note_tools(position, verdict, result)

    def _note_model(self, verdict: str, result: Mapping[str, Any]) -> str:
        error = result.get("error") or {}
        if verdict in ("again", "failed") and error.get("code") == ModelError.code:
            self._model_failures += 1
            if self._model_failures >= self._model_limit:
                return f"the model failed {self._model_failures} times in a row: {error.get('what', '')}"
        elif verdict in ("done", "uncertain"):
            self._model_failures = 0
        return ""

    def _note_tools(self, position: int, verdict: str, result: Mapping[str, Any]) -> str:
        if verdict not in ("done", "failed", "uncertain"):
            return ""
        unreached = str(result.get("unreached") or "")
        if unreached:
            self.unreached.append(position)
            if len(self.unreached) >= self._tool_limit:
                self.stopped = True
                return (
                    f"no tool could be reached in {len(self.unreached)} tasks in a row, which wait again: "
                    f"{unreached}"
                )
        elif result.get("reached") and not self.stopped:
            self.unreached.clear()
        return ""
