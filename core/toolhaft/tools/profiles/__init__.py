"""Arguments schemas as the providers of language models take them."""

from __future__ import annotations

from typing import Any

from toolhaft.errors import UnknownNameError
from toolhaft.tools.profiles.acceptance import accepts
from toolhaft.tools.profiles.base import PROFILES, Profiled, ProfileName
from toolhaft.tools.profiles.restoring import restore

__all__ = ["PROFILES", "ProfileName", "Profiled", "accepts", "fit", "restore"]


def fit(parameters: dict[str, Any], profile: ProfileName) -> Profiled:
    """Return an arguments schema as a provider takes it, and what was given up for that.

    Args:
        parameters: JSON Schema 2020-12 of an object; not changed.
        profile: One of `PROFILES`.

    Raises:
        UnknownNameError: There is no such profile.
    """
    if profile == "plain":
        return Profiled(parameters=parameters)
    if profile in ("openai", "anthropic"):
        from toolhaft.tools.profiles.lenient import lenient

        return lenient(parameters)
    if profile == "openai-strict":
        from toolhaft.tools.profiles.strict import strict

        return strict(parameters)
    if profile == "gemini":
        from toolhaft.tools.profiles.gemini import gemini

        return gemini(parameters)
    raise UnknownNameError("profile", profile, PROFILES)
