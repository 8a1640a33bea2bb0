"""Building the record of a rollout while it goes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.tools.context import RunContext
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Completion,
    ErrorInfo,
    Observation,
    RolloutFinished,
    Status,
    Step,
    StepStatus,
    Task,
    ToolCall,
    ToolSpec,
    Trajectory,
    Usage,
)

UNANSWERED = "E-UNANSWERED"
"""Code of the error in place of an answer that never came."""


class Record:
    """The steps of one rollout so far.

    Args:
        task: What it is about.
        context: What it runs in.
        planner: Name for the record; likewise ``model``.
    """

    def __init__(self, task: Task, context: RunContext, *, planner: str, model: str) -> None:
        self.task = task
        self.context = context
        self.planner = planner
        self.model = model
        self.steps: list[Step] = []
        journal = context.journal
        self.started = journal.started if journal else datetime.now(UTC).isoformat(timespec="milliseconds")
        self._offered: dict[str, ToolSpec] = {}
        self._last_specs: tuple[ToolSpec, ...] | None = None
        self._last_names: tuple[str, ...] = ()
        self._read: tuple[str, ...] = ()

    def offer(self, tools: ToolSet) -> tuple[str, ...]:
        """Grow the tools, note which the model is shown in the step to come, and return their names."""
        self._read = self.context.labels.read
        tools.grow()
        specs = tools.specs
        if specs is not self._last_specs:
            self._last_specs = specs
            self._last_names = tools.names
            self._offered.update((spec.name, spec) for spec in specs)
            self.context.labels.add_descriptions(spec.name for spec in specs if spec.untrusted)
            self.context.untrusted = self.context.untrusted or any(spec.untrusted for spec in specs)
        return self._last_names

    def add(
        self,
        completion: Completion,
        observations: Sequence[Observation],
        *,
        parent: int | None,
        status: StepStatus,
        started: float,
        note: str = "",
        tool_calls: int | None = None,
    ) -> Step:
        """Append a step and return it; ``tool_calls`` were spent, by default one for each observation."""
        step = Step(
            id=len(self.steps),
            parent=parent,
            thought=completion.text,
            calls=completion.calls,
            observations=tuple(observations),
            status=status,
            offered=self._last_names,
            usage=replace(
                completion.usage,
                model_calls=1,
                tool_calls=tool_calls if tool_calls is not None else len(observations),
                seconds=self.context.meter.elapsed() - started,
            ),
            started=started,
            origin=completion.origin,
            model=completion.model,
            labels=self._read,
            note=note,
        )
        self.steps.append(step)
        return step

    def add_interrupted(
        self,
        completion: Completion,
        observations: Sequence[Observation | None],
        error: BaseException,
        *,
        parent: int | None,
        started: float,
        under_way: Collection[int] = (),
        failed: int | None = None,
    ) -> Step:
        """Append a step that an error or the user ended before all of its calls were answered.

        Args:
            completion: What the model asked for.
            observations: One for each call, None where there is none.
            error: What ended the step.
            parent: The step before it.
            started: Seconds since the rollout began.
            under_way: Positions of the calls that were being made; a write may have been carried out.
            failed: Position of the call that raised the error, if one did.
        """
        answers = []
        for position, (call, found) in enumerate(zip(completion.calls, observations, strict=True)):
            cause = error if position == failed else None
            answers.append(found or self._unanswered(call, cause, begun=position in under_way))
        return self.add(
            completion,
            answers,
            parent=parent,
            status="failed",
            started=started,
            note="ended before all calls were answered",
            tool_calls=sum(found is not None for found in observations) + len(under_way),
        )

    def _unanswered(self, call: ToolCall, error: BaseException | None, *, begun: bool) -> Observation:
        spec = self._offered.get(call.name)
        effect = spec.effect if spec is not None else "read"
        fields: dict[str, Any] = {"code": UNANSWERED, "what": "not made: the rollout ended before"}
        if isinstance(error, ToolhaftError):
            fields = self.context.secrets.redact_value(error.to_dict())
        elif begun:
            fields["what"] = "the rollout ended before there was an answer"
            fields["effect"] = "none" if effect == "read" else "uncertain"
        return Observation(
            call_id=call.id,
            tool=call.name[:64],
            error=ErrorInfo(**fields),
            labels=(f"tool:{spec.name}",) if spec is not None else (),
            effect=effect,
        )

    async def finish(
        self,
        status: Status,
        *,
        answer: str = "",
        answer_step: int | None = None,
        error: ToolhaftError | None = None,
    ) -> RolloutFinished:
        """Return the last event, with the environment's end state if it has one."""
        context = self.context
        final_state = await context.final_state() if context.final_state is not None else None
        redact = context.secrets.redact_value
        return RolloutFinished(
            trajectory=Trajectory(
                id=context.id,
                task=self.task,
                steps=tuple(self.steps),
                answer=context.secrets.redact(answer),
                answer_step=answer_step if answer_step is not None else self._last_step(),
                status=status,
                error=ErrorInfo(**redact(error.to_dict())) if error is not None else None,
                tools=tuple(self._offered.values()),
                retrieved=context.retrieved,
                usage=self.usage(),
                budget=context.meter.budget,
                seed=context.seed,
                planner=self.planner,
                model=self.model,
                labels=context.labels.context,
                final_state=redact(final_state),
                settings=context.settings,
                started=self.started,
            )
        )

    def usage(self) -> Usage:
        """Return what was spent so far."""
        return self.context.meter.usage()

    def _last_step(self) -> int | None:
        return self.steps[-1].id if self.steps else None
