"""A language model as the teacher: it is shown calls, and says what a user might have said."""

from __future__ import annotations

import json
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.generators.asking import noun_of
from toolhaft.generators.drafts import Proved
from toolhaft.generators.instructions import Teacher
from toolhaft.generators.texts import lines
from toolhaft.generators.wording import is_named, is_said
from toolhaft.models.base import Model
from toolhaft.types import Message, ToolSpec

_SAY = ToolSpec(
    name="say",
    description="Say the instruction.",
    parameters={
        "type": "object",
        "properties": {"instruction": {"type": "string", "description": "What the user says."}},
        "required": ["instruction"],
        "additionalProperties": False,
    },
    effect="read",
)
_LONGEST = 2_000


class ModelTeacher(Teacher):
    """Asks a model for each instruction, through a tool that takes it, and again if an argument is missing.

    Args:
        model: Who writes.
        tries: How often it is asked for one instruction, at least 1.

    Raises:
        UsageError: ``tries`` is less than 1.

    Source: instructions written by a language model from sampled tools: Qin et al., "ToolLLM" (ICLR 2024),
    section 2.2. Deviation: it is shown calls that were made and went well, and what it says is checked.
    """

    def __init__(self, model: Model, *, tries: int = 2) -> None:
        if isinstance(tries, bool) or not isinstance(tries, int) or tries < 1:
            raise UsageError(f"tries is {tries!r}", hint="Give a whole number of at least 1")
        self.name = model.name
        self.made_by = model.origin
        self._model = model
        self._tries = tries

    async def write(self, proved: Proved, *, seed: str) -> str:
        """Return what the model says, or an empty text if what it says cannot be used.

        Raises:
            ModelError: The model failed.
        """
        messages = [
            Message(role="system", text="\n".join(lines("teacher"))),
            Message(role="user", text=json.dumps(_shown(proved), ensure_ascii=False)),
        ]
        number = int.from_bytes(seed.encode()[-6:], "big") % 2**31
        for turn in range(self._tries):
            completion = await self._model.complete(messages, (_SAY,), seed=number + turn)
            said = completion.calls[0].arguments.get("instruction") if completion.calls else completion.text
            text = " ".join(str(said or "").split())
            problem = _problem(text, proved)
            if not problem:
                return text
            messages += [
                Message(role="assistant", text=text),
                Message(role="user", text=f"{problem} Say it again."),
            ]
        return ""


def _shown(proved: Proved) -> dict[str, Any]:
    """Return the calls as a teacher sees them: purpose and arguments, without the tools' names."""
    steps = []
    for position, planned in enumerate(proved.draft.steps):
        step: dict[str, Any] = {
            "purpose": planned.spec.description[:600],
            "arguments": planned.arguments,
        }
        if planned.link is not None:
            of = "the first item of the result before" if planned.link.listed else "the result before"
            step["refers_to"] = f"the {noun_of(planned.link.argument)} of {of}"
        asked = proved.asked[position] if position < len(proved.asked) else None
        if asked is not None:
            step["user_wants_to_know"] = list(asked.labels) if asked.form == "fields" else asked.form
        steps.append(step)
    return {"steps": steps}


def _problem(text: str, proved: Proved) -> str:
    """Return what is wrong with an instruction, as a sentence for the model."""
    if not text or len(text) > _LONGEST:
        return "The instruction is empty or too long."
    for planned in proved.draft.steps:
        if is_named(planned.spec, text):
            return "The instruction names a function."
        missing = [name for name, value in planned.arguments.items() if not is_said(value, text, name)]
        if missing:
            return f"These arguments are not said as they are: {', '.join(missing)}."
    return ""
