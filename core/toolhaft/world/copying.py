"""Copies of JSON values: states are copied at every beginning, answer and look, so it has to be quick."""

from __future__ import annotations

from typing import Any


def copy_json(value: Any) -> Any:
    """Return a copy of a JSON value that shares nothing that can change with it."""
    if isinstance(value, dict):
        return {
            name: copy_json(item) if isinstance(item, dict | list) else item for name, item in value.items()
        }
    if isinstance(value, list):
        return [copy_json(item) if isinstance(item, dict | list) else item for item in value]
    return value
