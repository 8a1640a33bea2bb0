"""Which model ``auto`` stands for."""

from __future__ import annotations

from collections.abc import Callable

from toolhaft.models.base import Model
from toolhaft.settings import Settings

AUTO = "auto"
HEURISTIC = "heuristic"
OPENAI_MODEL = "gpt-5-mini"
"""What ``auto`` asks OpenAI for where only a key is given; ``TOOLHAFT_MODEL`` names another."""

NOTICE = (
    "toolhaft: no language model is configured, so the built-in heuristic policy decides; "
    "set TOOLHAFT_MODEL or OPENAI_API_KEY, or name a model (toolhaft models detect finds local ones)"
)


def resolve(
    reference: str,
    registry_model: Callable[[str], Model],
    settings: Settings,
    warn: Callable[[str], None],
) -> Model:
    """Return the model that a reference names.

    ``auto``, or nothing, is what ``TOOLHAFT_MODEL`` names; else the endpoint of ``OPENAI_BASE_URL``, with
    the model that it serves; else OpenAI if ``OPENAI_API_KEY`` is set; else the heuristic policy, and then
    the user is told.

    Args:
        reference: ``scheme:name``, ``http://host:8000/v1#name``, a name, or ``auto``.
        registry_model: Makes a model from a reference other than ``auto``.
        settings: What the environment says.
        warn: Takes the one line that says that no language model speaks.

    Raises:
        UsageError: The reference names no model, or one that is not installed.
    """
    found = describe(reference, settings)
    if found == HEURISTIC and not (_named(reference) or _named(settings.model)):
        warn(NOTICE)
    return registry_model(found)


def describe(reference: str, settings: Settings) -> str:
    """Return the reference that a reference stands for: itself, unless it is ``auto`` or empty."""
    named = _named(reference) or _named(settings.model)
    if named:
        return named
    if settings.openai_base_url:
        return settings.openai_base_url
    return f"openai:{OPENAI_MODEL}" if settings.has_openai_key else HEURISTIC


def _named(reference: str) -> str:
    name = reference.strip()
    return "" if name == AUTO else name
