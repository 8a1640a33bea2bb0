"""A language model in a folder of this machine, as a `toolhaft.models.base.Model`."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from toolhaft.errors import ConfigError, ModelError
from toolhaft.models.base import Model
from toolhaft.text import clean
from toolhaft.tools.threads import run_in_thread
from toolhaft.types import Completion, Message, ToolCall, ToolSpec, Usage
from toolhaft_local.calls import Answer
from toolhaft_local.folder import check_folder
from toolhaft_local.settings import Constrained, check_settings

if TYPE_CHECKING:
    from toolhaft_local.generation import Sampling, Written
    from toolhaft_local.loading import Loaded
    from toolhaft_local.prompting import Prompter

_WAIT = 0.05
"""Seconds between two looks at whether somebody still waits for a model that is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One request, and how its asker can take it back."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    avoid: Sequence[ToolCall]
    limit: int
    sampling: Sampling
    serial: int
    say: Callable[[str], None] | None
    given_up: threading.Event


class LocalModel(Model):
    """A model that transformers runs, in a folder of this machine.

    torch and the weights are loaded at the first question; every rollout that is given this object shares
    them, one question at a time. Nothing is ever downloaded, no code of the folder is run, and weights are
    read from safetensors only.

    Args:
        name: The folder.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        dtype: ``auto`` (as the weights are stored), ``float32``, ``bfloat16`` or ``float16``.
        max_tokens: Upper limit of every answer's length; a smaller one given to ``complete`` wins.
        temperature: 0 takes the most likely token always.
        top_p: Share of the probability that is drawn from, in (0, 1]; without effect at temperature 0.
        seed: For the draw, where ``complete`` is given none.
        constrained: ``auto`` lets the model answer or call, and holds its calls to the tools' schemas;
            ``calls`` makes it call; ``off`` lets it write anything.
        threads: Of torch while it answers; None leaves them.

    Raises:
        ConfigError: There is no such folder, it may not be opened, or a setting makes no sense.
    """

    def __init__(
        self,
        name: str = "",
        *,
        device: str = "cpu",
        dtype: str = "auto",
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        constrained: Constrained = "auto",
        threads: int | None = None,
    ) -> None:
        check_settings(
            device=device,
            dtype=dtype,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            constrained=constrained,
            threads=threads,
        )
        self._folder = check_folder(name)
        self.name = f"hf:{name}"
        self._device, self._dtype, self._threads = device, dtype, threads
        self._max_tokens = max_tokens
        self._temperature, self._top_p, self._seed = temperature, top_p, seed
        self._constrained: Constrained = constrained
        self._busy = threading.Lock()
        self._serial = itertools.count(1)
        self._loaded: Loaded | None = None
        self._prompter: Prompter | None = None
        self._failure: ModelError | ConfigError | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the results should know, such as a template that does not show tools."""
        return self._prompter.notes if self._prompter is not None else ()

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
        """Return the next assistant message; see `Model.complete`.

        Raises:
            ModelError: The folder cannot be loaded, or prompt and answer do not fit into the model's
                context.
            ConfigError: torch or the device is missing.
        """
        from toolhaft_local.generation import Sampling

        question = _Question(
            messages=messages,
            tools=tuple(tools),
            avoid=avoid,
            limit=self._max_tokens if max_tokens is None else max(1, min(max_tokens, self._max_tokens)),
            sampling=Sampling(
                temperature=self._temperature,
                top_p=self._top_p,
                seed=self._seed if seed is None else seed,
            ),
            serial=next(self._serial),
            say=None if on_delta is None else partial(_say, asyncio.get_running_loop(), on_delta),
            given_up=threading.Event(),
        )
        try:
            completion: Completion = await run_in_thread(self._answer, {"question": question})
        finally:
            question.given_up.set()
        return completion

    async def close(self) -> None:
        """Let go of the weights; the next question loads them again."""
        self._loaded = self._prompter = None

    def _answer(self, question: _Question) -> Completion:
        from toolhaft_local.generation import Stopped, using_threads

        while not self._busy.acquire(timeout=_WAIT):
            if question.given_up.is_set():
                raise Stopped
        try:
            with using_threads(self._threads):
                return self._answer_alone(question)
        except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, MemoryError) as error:
            raise ModelError(
                f"the model failed: {clean(' '.join(str(error).split()), 300) or type(error).__name__}",
                where=str(self._folder.path),
                hint="It may be out of memory, or its files may not fit together",
            ) from error
        finally:
            self._busy.release()

    def _answer_alone(self, question: _Question) -> Completion:
        from toolhaft_local.generation import generate
        from toolhaft_local.writing import Streamed, Transcript, unseal

        started = time.perf_counter()
        loaded, prompter = self._open()
        prompt = prompter.prompt(question.messages, question.tools, question.avoid)
        declared = prompter.declared and bool(question.tools)
        transcript = Transcript(loaded, keep=declared)
        streamed = Streamed(offered=bool(question.tools))

        def take(token: int) -> None:
            transcript.add(token)
            if question.say is not None and not declared and (piece := streamed.more(transcript.marked())):
                question.say(piece)

        written = generate(
            loaded,
            prompt,
            limit=self._room(loaded, len(prompt), question.limit),
            sampling=question.sampling,
            constraint=prompter.constraint(question.tools, self._constrained),
            on_token=take,
            stopped=question.given_up.is_set,
        )
        found = prompter.read(transcript.finish(), prompt, question.tools)
        text = unseal(found.text)
        if question.say is not None and (piece := streamed.rest(text)):
            question.say(piece)
        return self._completion(question, prompt, written, found, text, time.perf_counter() - started)

    def _open(self) -> tuple[Loaded, Prompter]:
        """Return the model, loaded now if it was not; what failed once fails again at once."""
        from toolhaft_local.loading import load
        from toolhaft_local.prompting import Prompter

        if self._failure is not None:
            raise self._failure
        if self._loaded is None or self._prompter is None:
            try:
                self._loaded = load(self._folder, device=self._device, dtype=self._dtype)
                self._prompter = Prompter(self._loaded)
            except (ModelError, ConfigError) as error:
                self._failure = error
                raise
        return self._loaded, self._prompter

    def _room(self, loaded: Loaded, prompt: int, limit: int) -> int:
        """Return how many tokens may be written."""
        if loaded.context and prompt >= loaded.context:
            raise ModelError(
                f"the prompt is {prompt} tokens long and the model reads {loaded.context}: "
                f"{prompt - loaded.context + 1} too many to write one more",
                where=str(self._folder.path),
                hint="Offer fewer tools (k=), shorten results, or use a model that reads more",
                details={"prompt": prompt, "context": loaded.context},
            )
        return min(limit, loaded.context - prompt) if loaded.context else limit

    def _completion(
        self,
        question: _Question,
        prompt: Sequence[int],
        written: Written,
        found: Answer,
        text: str,
        seconds: float,
    ) -> Completion:
        digest = hashlib.sha256(repr((question.serial, question.sampling.seed, prompt)).encode()).hexdigest()
        calls = tuple(
            ToolCall(
                id=f"call_{digest[:20]}{number:02d}",
                name=call.name,
                arguments=call.parsed.arguments,
                problem=call.parsed.problem,
                raw=call.parsed.raw,
                repaired=call.parsed.repaired,
            )
            for number, call in enumerate(found.calls)
        )
        return Completion(
            text=text,
            calls=calls,
            finish="length" if not written.ended else "tool_calls" if calls else "stop",
            usage=Usage(
                model_calls=1, input_tokens=len(prompt), output_tokens=written.steps, seconds=seconds
            ),
            model=self.name,
        )


def _say(loop: asyncio.AbstractEventLoop, on_delta: Callable[[str], None], piece: str) -> None:
    # The loop is closed where the asker is gone; the next look between two tokens ends the work.
    if not loop.is_closed():
        loop.call_soon_threadsafe(on_delta, piece)
