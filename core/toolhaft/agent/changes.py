"""What differs between a batch as it was begun and as it is asked for now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_SHOWN = 60


def changes(head: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs: ``tasks``, then settings in the order of the alphabet."""
    changed = [] if head["tasks"] == now["tasks"] else ["tasks"]
    before, after = head["settings"], now["settings"]
    return changed + sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def describe_changes(head: Mapping[str, Any], now: Mapping[str, Any], changed: list[str]) -> str:
    """Return what a batch was begun with, as the end of a sentence: ``other settings (k was 8, is 3)``."""
    said = ["other tasks"] if "tasks" in changed else []
    before, after = head["settings"], now["settings"]
    settings = [
        f"{name} was {_show(before.get(name))} and is {_show(after.get(name))}"
        for name in changed
        if name != "tasks"
    ]
    if settings:
        said.append(f"other settings ({'; '.join(settings)})")
    return " and ".join(said)


def _show(value: Any) -> str:
    text = "not given" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
