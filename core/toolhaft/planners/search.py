"""One depth-first search: asks the model, makes the calls, and hands each decision to the tree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from toolhaft.errors import BudgetExceededError, ToolhaftError
from toolhaft.models.base import Model
from toolhaft.planners.choice import End, choose
from toolhaft.planners.deltas import complete_with_deltas
from toolhaft.planners.ending import Ending, read_ending, reason_of
from toolhaft.planners.evidence import REPEATED, has_written, is_question, weigh
from toolhaft.planners.profile import Profile
from toolhaft.planners.prompts import prompt
from toolhaft.planners.record import Record
from toolhaft.planners.repetition import Visited, tried_calls
from toolhaft.planners.round import Round, result_message
from toolhaft.planners.telling import tell_writes, untold_writes
from toolhaft.planners.tree import Node, NodeStatus, SearchTree
from toolhaft.tools.context import RunContext
from toolhaft.tools.labels import USER
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import (
    Completion,
    ErrorInfo,
    Event,
    Message,
    Observation,
    Status,
    Step,
    StepFinished,
    StepStatus,
    Task,
    TextDelta,
    ToolCall,
)

_LIVE: dict[NodeStatus, StepStatus] = {
    "repeated": "abandoned",
    "gave_up": "gave_up",
    "doubted": "abandoned",
    "answered": "answered",
    "asked": "answered",
    "refused": "gave_up",
}
_TRIED_IN_VAIN = frozenset({"abandoned", "dead_end", "gave_up", "doubted"})


class Search:
    """The state of one rollout: the tree, the record, and the conversation at each node.

    Args:
        profile: The settings.
        system: The system prompt.
        task: What it is about; likewise ``tools``, ``model``, ``context`` as in `Planner.rollout`.
        record: Takes the steps.
    """

    def __init__(
        self,
        profile: Profile,
        system: str,
        task: Task,
        tools: ToolSet,
        model: Model,
        context: RunContext,
        record: Record,
    ) -> None:
        self.profile = profile
        self.model = model
        self.context = context
        self.record = record
        self.tree = SearchTree(profile)
        self.tree.root.messages = (
            Message(role="system", text=system),
            Message(role="user", text=task.instruction, artifacts=task.artifacts),
        )
        self.last_thought = ""
        self._ends: list[End] = []
        self._visited = Visited()
        self._asked = 0
        self._left = 0
        # What is offered belongs to the branch: it depends on what was found on the way to a node alone.
        self._offers: dict[int, ToolSet] = {self.tree.root.step: tools}
        context.labels.add(USER, task.instruction)

    @property
    def tools(self) -> ToolSet:
        """What is offered at the current node."""
        return self._offers[self.tree.current.step]

    @property
    def went_in_circles(self) -> bool:
        """Whether every path ended in calls that had been made before."""
        return all(node.status == "repeated" for node in self.tree.root.subtree() if not node.children)

    async def step(self) -> AsyncGenerator[Event, None]:
        """Ask the model once at the current node, and take its decision into the tree."""
        context, record, node = self.context, self.record, self.tree.current
        context.check_cancelled()
        self._reserve()
        record.offer(self.tools)
        started = context.meter.elapsed()
        told = untold_writes(node, record.steps) if self.profile.past_writes else frozenset()
        written = tell_writes(told, record.steps)
        messages = [*self._conversation(node), *written]
        avoid = tried_calls(node)
        if node.children and not all(child.calls for child in node.children):
            messages.append(Message(role="user", text=prompt("dfsdt_again")))
        completion = Completion()
        async with aclosing(
            complete_with_deltas(self.model, messages, self.tools.specs, context, avoid)
        ) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    completion = piece
                else:
                    yield TextDelta(text=piece)
        context.meter.record(completion.usage)
        self.last_thought = completion.text or self.last_thought
        child = Node(step=len(record.steps), calls=completion.calls, messages=written, told=told)
        if not completion.calls:
            yield self._end(child, completion, started)
        elif (earlier := self._repeated(completion.calls)) is not None:
            yield self._refuse_repetition(child, completion, earlier, started)
        else:
            async with aclosing(self._make(child, completion, started)) as events:
                async for event in events:
                    yield event
        self._forget_abandoned()

    def settle(self) -> End | None:
        """Choose the end to take, give every step its final status, and return that end."""
        end = choose(self._ends)
        steps = self.record.steps
        last = end.step if end is not None else (len(steps) - 1 if steps else None)
        path = set()
        position = last
        while position is not None:
            path.add(position)
            position = steps[position].parent
        kept = ("failed", "gave_up", "answered")
        for step in list(steps):
            status = step.status
            if end is not None and step.id == last:
                status = "answered" if end.status in ("answered", "asked") else "gave_up"
            elif status not in kept:
                status = "continued" if step.id in path else "abandoned"
            if status != step.status:
                steps[step.id] = replace(step, status=status)
        return end

    def _reserve(self) -> None:
        limit = self.profile.model_calls
        if limit is not None and self._asked >= limit:
            raise BudgetExceededError("model_calls", limit)
        self.context.meter.reserve(steps=1, model_calls=1)
        self._asked += 1

    def _conversation(self, node: Node) -> list[Message]:
        return [message for above in node.path() for message in above.messages]

    def _repeated(self, calls: Sequence[ToolCall]) -> int | None:
        if self.profile.repeats:
            return None
        missing = {call.name for call in calls if self.tools.get(call.name) is None}
        return self._visited.find(calls, self.tree.current, self.context.memory.writes, missing)

    def _refuse_repetition(
        self, child: Node, completion: Completion, earlier: int, started: float
    ) -> StepFinished:
        """Take a decision that was made before into the record, and not make its calls again."""
        error = ErrorInfo(code=REPEATED, what=f"not made: the same was done in step {earlier + 1}")
        specs = {spec.name: spec.effect for spec in self.tools.specs}
        observations = [
            Observation(
                call_id=call.id,
                tool=call.name[:64],
                error=error,
                provenance="reused",  # nobody was asked: the answer is in the earlier step
                effect=specs.get(call.name, "read"),
            )
            for call in completion.calls
        ]
        child.status = "repeated"
        return self._close(
            child, completion, started, observations=observations, note=f"repeats step {earlier + 1}"
        )

    async def _make(self, child: Node, completion: Completion, started: float) -> AsyncGenerator[Event, None]:
        """Make the calls of a decision and go on below it."""
        context, record, parent = self.context, self.record, self.tree.current
        made = Round(completion.calls, reuse_reads=True)
        tools = self._offers[child.step] = self.tools.branch()
        before = context.memory.writes
        try:
            context.meter.reserve(tool_calls=len(completion.calls))
            async with aclosing(made.make(child.step, tools, context)) as events:
                async for event in events:
                    yield event
        except (ToolhaftError, asyncio.CancelledError) as error:
            record.add_interrupted(
                completion,
                made.observations,
                error,
                parent=_step_of(parent),
                started=started,
                under_way=made.under_way,
                failed=made.failed,
            )
            raise
        observations = made.answers
        step = record.add(
            completion,
            observations,
            parent=_step_of(parent),
            status="continued",
            started=started,
            note=f"knows of {len(child.told)} writes on branches that were given up" if child.told else "",
        )
        child.messages = (
            *child.messages,
            completion.message(),
            *(
                result_message(call, found)
                for call, found in zip(completion.calls, observations, strict=True)
            ),
        )
        child.evidence = weigh(completion.calls, observations)
        self._visited.add(child, parent, observations, before, context.memory.writes)
        self.tree.grow(child, cost=self.profile.cost(len(completion.calls), completion.text))
        yield StepFinished(step=step)

    def _end(self, child: Node, completion: Completion, started: float) -> StepFinished:
        """Take a message without calls: an end, or silence, which is answered once on each path."""
        ending = read_ending(completion)
        parent = self.tree.current
        if ending == "silent" and not any(above.step >= 0 and not above.calls for above in parent.upwards()):
            step = self.record.add(
                completion,
                (),
                parent=_step_of(parent),
                status="continued",
                started=started,
                note="empty message",
            )
            child.messages = (*child.messages, Message(role="user", text=prompt("react_silent")))
            child.known = parent.known
            self._offers[child.step] = self.tools
            self.tree.grow(child)
            return StepFinished(step=step)
        child.status = self._judge(ending, completion.text)
        note = ""
        if ending == "silent":
            note = "empty message"
        elif completion.finish == "length":
            note = "the answer was cut at the model's length limit"
        elif child.status == "doubted":
            note = "follows a dead end: something better is looked for"
        return self._close(child, completion, started, note=note, ending=ending)

    def _judge(self, ending: Ending, text: str) -> NodeStatus:
        """Return the status of the node at which a path ends."""
        if ending in ("gave_up", "silent"):
            return "gave_up"
        if ending == "refused":
            return "refused"
        if self._is_doubtful(is_question(text)):
            return "doubted"
        return "answered" if ending == "answered" else "asked"

    def _is_doubtful(self, question: bool) -> bool:
        """Whether an answer here directly follows a dead end, or stands in place of another way."""
        if not self.profile.doubt:
            return False
        node = self.tree.current
        if any(child.status in _TRIED_IN_VAIN and not child.fruitful for child in node.children):
            return True
        last = next((above.evidence for above in node.upwards() if above.calls), None)
        return last is not None and last.dead_end and not (question and last.misfilled)

    def _close(
        self,
        leaf: Node,
        completion: Completion,
        started: float,
        *,
        observations: Sequence[Observation] = (),
        note: str = "",
        ending: Ending = "gave_up",
    ) -> StepFinished:
        step = self.record.add(
            completion,
            observations,
            parent=_step_of(self.tree.current),
            status=_LIVE[leaf.status],
            started=started,
            note=note,
            tool_calls=0,
        )
        if leaf.status != "repeated":
            self._ends.append(self._end_at(step, leaf, completion, ending))
        self.tree.close(leaf)
        return StepFinished(step=step)

    def _end_at(self, step: Step, leaf: Node, completion: Completion, ending: Ending) -> End:
        path = self.tree.current.path()
        status: Status = "gave_up" if ending == "silent" else ending
        return End(
            step=step.id,
            status=status,
            answer=reason_of(completion) if status == "gave_up" else completion.text,
            doubted=leaf.status == "doubted",
            writes=sum(above.evidence.wrote for above in path),
            productive=sum(above.evidence.productive for above in path),
            length=len(path),
        )

    def _forget_abandoned(self) -> None:
        """Have the memory know which writes lie on branches that were left."""
        for node in self.tree.left[self._left :]:
            found = self.record.steps[node.step].observations
            # A call that was not made, or made before, says nothing of where the write was made.
            written = [call for call, made in zip(node.calls, found, strict=True) if has_written(made)]
            self.context.memory.abandon(written)
        self._left = len(self.tree.left)


def _step_of(node: Node) -> int | None:
    return node.step if node.parent is not None else None
