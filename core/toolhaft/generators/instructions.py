"""Instructions for calls: what a user might say to have them made."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from random import Random

from toolhaft.generators.asking import noun_of
from toolhaft.generators.drafts import Asked, Planned, Proved
from toolhaft.generators.schemas import properties_of, resolve
from toolhaft.generators.texts import lines
from toolhaft.generators.wording import action_of, say_argument, say_value
from toolhaft.types import ToolSpec

_TWICE = re.compile(r"\.\.(?=\s|$)")
_THING = (
    r"\b(?:a|an|one|the|your|this|another)\s(?:[a-z-]+\s)?NOUN(?:\sof\s(?:a|an|the)\s\w+)?"
    r"(?=$|\s(?:of|for|to|from|on|in|with|at|about|by|and|into|as|off|again|now|right|side)\b)"
)
"""A thing in a purpose that is not the beginning of a longer name: ``a ticket``, not ``a ticket label``."""


class Teacher(ABC):
    """Puts calls into a user's words.

    Attributes:
        name: As the record shows it.
        made_by: ``template`` or ``model``, for the label of what it writes.
    """

    name: str = ""
    made_by: str = "model"

    @abstractmethod
    async def write(self, proved: Proved, *, seed: str) -> str:
        """Return one instruction that says all the arguments that the user gives, and names no tool.

        Args:
            proved: The calls, and what is asked of their results.
            seed: The same seed gives the same words, where the teacher can.
        """


class TemplateTeacher(Teacher):
    """Writes with templates: no weights, no network, the same words for the same seed.

    Source: instructions that name no API, after Patil et al., "Gorilla" (2023), section 3.1, and Qin et al.,
    "ToolLLM" (ICLR 2024), section 2.2. Deviation: templates in ``texts/`` instead of a language model, so
    what they write is labelled ``template``.
    """

    name = "template"
    made_by = "template"

    async def write(self, proved: Proved, *, seed: str) -> str:
        """Return an instruction made of templates."""
        random = Random(f"words/{seed}")
        sentences: list[str] = []
        for position, planned in enumerate(proved.draft.steps):
            if planned.link is not None:
                sentences += _following(planned, random)
            elif position:
                sentences += _another(planned, random)
            else:
                sentences += _opening(planned, random)
            asked = proved.asked[position] if position < len(proved.asked) else None
            if asked is not None:
                sentences.append(_question(asked, random))
        return _joined(sentences)


def _joined(sentences: list[str]) -> str:
    """Return sentences as one text; all but the last end as sentences do."""
    *before, last = sentences
    ended = [text if text.endswith((".", "?", "!", '."')) else f"{text}." for text in before]
    return _TWICE.sub(".", " ".join([*ended, last]))


def _opening(planned: Planned, random: Random) -> list[str]:
    action, apart = _clause(planned, random)
    if action_of(planned.spec).does:
        frame = random.choice(lines("act"))
        return [_fill(frame, "act", action), *apart]
    return [_fill(random.choice(lines("thing")), "thing", action), *apart]


def _another(planned: Planned, random: Random) -> list[str]:
    action, apart = _clause(planned, random)
    return [_fill(random.choice(lines("also")), "act", _doing(planned.spec, action, random)), *apart]


def _following(planned: Planned, random: Random) -> list[str]:
    """Return the sentence about what is done with an earlier result."""
    link = planned.link
    noun = noun_of(link.argument) if link is not None else ""
    listed = link is not None and link.listed
    if link is not None and not link.own:
        kind = "belonging_to_first" if listed else "belonging_to_it"
    else:
        kind = "first_of_list" if listed else "the_one"
    reference = random.choice(lines(kind)).replace("{noun}", noun or "one")
    action, apart = _clause(planned, random, reference=reference, noun=noun)
    return [_fill(random.choice(lines("then")), "act", _doing(planned.spec, action, random)), *apart]


def _clause(
    planned: Planned, random: Random, *, reference: str = "", noun: str = ""
) -> tuple[str, list[str]]:
    """Return what is to be done with what, and the sentences that follow where the arguments stand apart."""
    action = action_of(planned.spec).words
    left = dict(planned.arguments)
    if reference:
        placed = _place(action, noun, reference)
        action = placed if placed != action else f"{action} for {reference}"
    elif left and random.random() < 0.5:
        for name, value in planned.arguments.items():
            own = noun_of(name)
            placed = _place(action, own, f"{own} {say_value(value, {}, random)}")
            if isinstance(value, str) and placed != action:
                action = placed
                del left[name]
                break
    if not left:
        return action, []
    said = _arguments(planned.spec, left, random)
    if random.random() < 0.3:
        return action, [_fill(random.choice(lines("apart")), "args", said)]
    return action + random.choice(lines("join")).replace("{args}", said), []


def _arguments(spec: ToolSpec, arguments: dict[str, object], random: Random) -> str:
    members = properties_of(resolve(spec.parameters, spec.parameters), spec.parameters)
    names = random.sample(list(arguments), len(arguments))
    style = random.choice(lines("phrase"))
    said = [
        say_argument(
            name,
            members.get(name, {}),
            arguments[name],
            random,
            style if random.random() < 0.7 else random.choice(lines("phrase")),
        )
        for name in names
    ]
    if len(said) == 1:
        return said[0]
    last = random.choice((" and ", ", "))
    return f"{', '.join(said[:-1])}{last}{said[-1]}"


def _question(asked: Asked, random: Random) -> str:
    if asked.form != "fields":
        return random.choice(lines(asked.form))
    labels = " and the ".join(asked.labels)
    frame = random.choice(lines("fields"))
    if len(asked.labels) > 1:
        frame = frame.replace("What is", "What are").replace("after is", "after are")
    return frame.replace("{labels}", labels)


def _doing(spec: ToolSpec, action: str, random: Random) -> str:
    if action_of(spec).does:
        return action
    return f"{random.choice(('look up', 'find out', 'get', 'tell me', 'check'))} {action}"


def _place(action: str, noun: str, words: str) -> str:
    """Return an action with a thing named in it in place of any such thing: ``cancel booking BK-1``."""
    if not noun:
        return action
    found = re.search(_THING.replace("NOUN", re.escape(noun)), action, re.IGNORECASE)
    return action if found is None else f"{action[: found.start()]}{words}{action[found.end() :]}"


def _fill(frame: str, name: str, words: str) -> str:
    capital = words[:1].upper() + words[1:]
    return frame.replace(f"{{{name}}}", words).replace(f"{{{name.capitalize()}}}", capital)
