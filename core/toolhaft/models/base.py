"""A language model: messages and tools in, one assistant message out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from toolhaft.types import Completion, Message, Origin, ToolCall, ToolSpec

if TYPE_CHECKING:
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.artifacts import ArtifactStore


class Model(ABC):
    """Answers a conversation.

    Attributes:
        name: As the record shows it, for example ``openai:gpt-5``.
        origin: Whether a language model speaks, or something in its place.
    """

    name: str = ""
    origin: Origin = "model"

    @abstractmethod
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
        """Return the next assistant message.

        Args:
            messages: The conversation, oldest first.
            tools: Tools it may call; the same tuple object means the same tools.
            avoid: Calls tried before at this point without success; something else is wanted.
            on_delta: Called with each piece of text as it arrives, where the model streams.
            seed: For models that can be made deterministic.
            max_tokens: Upper limit of the answer's length, in tokens.

        Raises:
            ModelError: The endpoint failed, or its answer cannot be read. Malformed tool calls are not
                errors: they come back as calls with ``problem`` set, for the planner to repair.
        """

    def attach(self, *, secrets: SecretStore | None = None, artifacts: ArtifactStore | None = None) -> None:
        """Take the stores of an agent where none were given. The default needs none.

        Args:
            secrets: Resolves keys; its filter then knows them.
            artifacts: Where the images and files of messages are kept.
        """

    async def close(self) -> None:
        """Let go of connections. The default has none."""
