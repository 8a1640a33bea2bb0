"""Instructions for calls: what a user might say to have them made."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from random import Random

from toolhaft.generators.asking import noun_of
from toolhaft.generators.drafts import Asked, Planned, Proved
from toolhaft.generators.phrases import PLACES, Manner, place, refer, say_alone, say_arguments
from toolhaft.generators.schemas import properties_of, resolve
from toolhaft.generators.texts import lines
from toolhaft.generators.wording import action_of
from toolhaft.types import ToolSpec

_TWICE = re.compile(r"\.\.(?=\s|$)")
_CHANCE_TO_PLACE = 0.95
_MOST_PLACED = 2
_OPEN_END = re.compile(r"\{act\}[^.?!]")
"""A frame that goes on behind the action, so that the action must be short."""
_SELF = re.compile(r"\bI (?:want|have) to \{act\}|Help me|asked to|We need|Let's")
_SHOWING = re.compile(r"^(?:show|display)\b")


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
        if len(sentences) > 1:
            sentences[0] = sentences[0][:1].upper() + sentences[0][1:]
        return _joined(sentences)


def _joined(sentences: list[str]) -> str:
    """Return sentences as one text; all but the last end as sentences do."""
    *before, last = sentences
    ended = [text if text.endswith((".", "?", "!", '."')) else f"{text}." for text in before]
    return _TWICE.sub(".", " ".join([*ended, last]))


def _opening(planned: Planned, random: Random) -> list[str]:
    purpose = action_of(planned.spec)
    if not purpose.does:
        action, apart = _clause(planned, purpose.words, random)
        return [_fill(random.choice(lines("thing")), "thing", action), *apart]
    frame = random.choice(lines("act"))
    words = _SHOWING.sub("see", purpose.words) if _SELF.search(frame) else purpose.words
    action, apart = _clause(planned, words, random, is_short=_OPEN_END.search(frame) is not None)
    return [_fill(frame, "act", action), *apart]


def _another(planned: Planned, random: Random) -> list[str]:
    action, apart = _clause(planned, _doing(planned.spec, random), random)
    return [_fill(random.choice(lines("also")), "act", action), *apart]


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
    words = refer(_doing(planned.spec, random), noun, reference)
    action, apart = _clause(planned, words, random)
    return [_fill(random.choice(lines("then")), "act", action), *apart]


def _clause(planned: Planned, words: str, random: Random, *, is_short: bool = False) -> tuple[str, list[str]]:
    """Return what is to be done with what, and the sentences that follow where arguments stand apart."""
    members = properties_of(
        resolve(planned.spec.parameters, planned.spec.parameters), planned.spec.parameters
    )
    left = dict(planned.arguments)
    action, placed = words, 0
    for name, value in planned.arguments.items():
        drawn = random.random() < _CHANCE_TO_PLACE or name in PLACES
        if placed == _MOST_PLACED or not drawn:
            continue
        changed = place(action, name, members.get(name, {}), value, random)
        if changed != action:
            action, placed = changed, placed + 1
            del left[name]
    had = len(left)
    for name in list(left):
        alone = say_alone(name, members.get(name, {}), left[name], random)
        if alone:
            action = f"{action} {alone}"
            del left[name]
    if not left:
        return action, []
    manner: Manner = random.choice(("prose", "listed", "stated"))
    said = say_arguments(members, left, random, manner)
    if not said:  # not everything can be stated
        manner = "listed"
        said = say_arguments(members, left, random, manner)
    suffix = "" if manner == "prose" else f"_{manner}"
    if is_short or random.random() < (0.6 if manner == "stated" else 0.3):
        return action, [_fill(random.choice(lines(f"apart{suffix}")), "args", said)]
    # Behind a phrase of its own, only brackets keep a list apart.
    join = " ({args})" if manner == "listed" and len(left) < had else random.choice(lines(f"join{suffix}"))
    return action + join.replace("{args}", said), []


def _question(asked: Asked, random: Random) -> str:
    if asked.form != "fields":
        if asked.labels:
            return random.choice(lines(f"{asked.form}_of")).replace("{things}", asked.labels[0])
        return random.choice(lines(asked.form))
    labels = " and the ".join(asked.labels)
    frame = random.choice(lines("fields"))
    if len(asked.labels) > 1:
        frame = frame.replace("What is", "What are").replace("after is", "after are")
    return frame.replace("{labels}", labels)


def _doing(spec: ToolSpec, random: Random) -> str:
    purpose = action_of(spec)
    if purpose.does:
        return purpose.words
    return f"{random.choice(('look up', 'find out', 'get', 'tell me', 'check'))} {purpose.words}"


def _fill(frame: str, name: str, words: str) -> str:
    capital = words[:1].upper() + words[1:]
    return frame.replace(f"{{{name}}}", words).replace(f"{{{name.capitalize()}}}", capital)
