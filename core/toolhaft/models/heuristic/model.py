"""The `heuristic` model: a policy without weights behind the interface of a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolhaft.models.base import Model
from toolhaft.models.heuristic.policy import decide
from toolhaft.models.heuristic.ranking import ToolIndex
from toolhaft.types import Completion, Finish, Message, Origin, ToolCall, ToolSpec, Usage


class HeuristicModel(Model):
    """Chooses tools by their words, fills arguments by schema, passes values on, and says what it found.

    It needs no key, no weights and no network, and is deterministic: the same conversation gives the same
    message, whatever the seed. It is no language model, and its completions say so (``origin``).
    """

    name = "heuristic"
    origin: Origin = "heuristic"

    def __init__(self) -> None:
        self._index = ToolIndex()

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the next message; see `Model.complete`. ``max_tokens`` counts four characters each."""
        decision = decide(messages, tools, avoid, self._index)
        number = sum(len(message.calls) for message in messages)
        calls = tuple(
            ToolCall(id=f"heuristic-{number + place}", name=name, arguments=arguments)
            for place, (name, arguments) in enumerate(decision.calls, 1)
        )
        text = decision.text
        cut = max_tokens is not None and not calls and len(text) > 4 * max_tokens
        if cut and max_tokens is not None:
            text = text[: 4 * max_tokens]
        if on_delta is not None and text:
            on_delta(text)
        ending: Finish = "gave_up" if decision.gave_up else ("length" if cut else "stop")
        return Completion(
            text=text,
            calls=calls,
            finish="tool_calls" if calls else ending,
            usage=Usage(model_calls=1),
            model=self.name,
            origin=self.origin,
        )
