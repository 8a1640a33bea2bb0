"""Plugins: what they may add, how they are found, and how a broken one is set aside.

A plugin is a module with marked functions, named by an entry point in the group ``toolhaft``::

    from toolhaft.hooks import hookimpl

    @hookimpl
    def register_planners():
        return {"mcts": "acme_planners.mcts:MCTS"}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolhaft.hooks.markers import hookimpl as hookimpl
    from toolhaft.hooks.record import PluginRecord as PluginRecord
    from toolhaft.hooks.registry import Registry as Registry

__all__ = ["PluginRecord", "Registry", "hookimpl"]

_HOMES = {
    "PluginRecord": "toolhaft.hooks.record",
    "Registry": "toolhaft.hooks.registry",
    "hookimpl": "toolhaft.hooks.markers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'toolhaft.hooks' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
