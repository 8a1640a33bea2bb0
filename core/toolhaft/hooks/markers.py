"""The two marks of a plugin system: what may be implemented, and what implements it."""

from __future__ import annotations

import pluggy

PROJECT = "toolhaft"
"""The entry-point group, and the project's name to pluggy."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
