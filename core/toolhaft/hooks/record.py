"""What is known of one plugin, fit to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from toolhaft.hooks.distributions import Candidate

PluginStatus = Literal["ok", "FAILED", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One plugin that was found.

    Attributes:
        name: Name of the entry point, by which it is disabled.
        distribution: What was installed, for example ``toolhaft-evals``; empty if it was added by hand.
        version: Of the distribution.
        status: ``FAILED``: all or part of it is set aside, ``reason`` says what and why.
        reason: One line; empty if the status is ``ok``.
        provides: Names that can be used, by kind, for example ``{"planner": ("mcts",)}``.
        seconds: Time its import and its hooks took.
        entry_point: Module, as its metadata gives it.
    """

    name: str
    distribution: str = ""
    version: str = ""
    status: PluginStatus = "ok"
    reason: str = ""
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    entry_point: str = ""


def one_line(text: object, limit: int = 400) -> str:
    """Return text of unknown origin as one printable line of at most ``limit`` characters.

    Control and direction-changing characters would let a plugin's message rewrite the terminal; they
    are shown as escapes.
    """
    line = " ".join(str(text)[: 4 * limit].split())
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def record_plugin(
    candidate: Candidate,
    *,
    status: PluginStatus | None = None,
    reason: str = "",
    provides: dict[str, tuple[str, ...]] | None = None,
    seconds: float = 0.0,
) -> PluginRecord:
    """Return the record of a plugin that was found.

    Args:
        candidate: What was found.
        status: By default, ``FAILED`` where there is a reason.
        reason: What is wrong with it.
        provides: Names that can be used, by kind.
        seconds: Time its import and its hooks took.
    """
    return PluginRecord(
        name=one_line(candidate.name, 80),
        distribution=one_line(candidate.distribution, 80),
        version=one_line(candidate.version, 40),
        status=status or ("FAILED" if reason else "ok"),
        reason=one_line(reason, 600),
        provides=provides or {},
        seconds=seconds,
        entry_point=one_line(candidate.target, 200),
    )
