"""Which provider's rules the schemas of tools keep, and calls made under them made the tools' own again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args
from urllib.parse import urlsplit

from toolhaft.errors import UnknownNameError
from toolhaft.types import Completion, ToolCall, ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.profiles import ProfileName

_BY_HOST: dict[str, ProfileName] = {
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
}
_LENIENT = ("openai", "anthropic")


def choose_profile(named: ProfileName | None, origin: str) -> ProfileName:
    """Return the profile that was named, else that of the provider behind an address.

    Raises:
        UnknownNameError: There is no profile of that name.
    """
    if named is None:
        return _BY_HOST.get(urlsplit(origin).hostname or "", "openai")
    from toolhaft.tools.profiles.base import PROFILES, ProfileName

    if named not in get_args(ProfileName):
        raise UnknownNameError("profile", named, PROFILES)
    return named


def restored(completion: Completion, tools: Sequence[ToolSpec], profile: ProfileName) -> Completion:
    """Return a completion whose calls have the arguments that the tools themselves take."""
    if profile == "plain":
        return completion
    wanted = {call.name for call in completion.calls}
    specs = {spec.name: spec for spec in tools if spec.name in wanted}
    calls = tuple(
        _restored(call, specs[call.name], profile) if call.name in specs else call
        for call in completion.calls
    )
    same = all(one is other for one, other in zip(calls, completion.calls, strict=True))
    return completion if same else replace(completion, calls=calls)


def _restored(call: ToolCall, spec: ToolSpec, profile: ProfileName) -> ToolCall:
    properties = spec.parameters.get("properties")
    known = properties if isinstance(properties, dict) else {}
    if call.problem or (profile in _LENIENT and call.arguments.keys() <= known.keys()):
        return call  # nothing was changed but, rarely, names
    from toolhaft.tools.profiles import fit, restore

    renamed = fit(spec.parameters, profile).renamed
    if profile in _LENIENT:
        if not renamed:
            return call
        return replace(call, arguments={renamed.get(name, name): one for name, one in call.arguments.items()})
    return replace(call, arguments=restore(call.arguments, spec.parameters, renamed))
