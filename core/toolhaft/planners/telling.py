"""What abandoned branches wrote, told to the branch that comes after them.

It is told as what it is, calls with their results. So it keeps the standing of what tools return, and every
model can read it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from toolhaft.planners.evidence import has_written
from toolhaft.planners.prompts import prompt
from toolhaft.planners.round import result_message
from toolhaft.planners.tree import Node
from toolhaft.types import Message, Step


def untold_writes(node: Node, steps: Sequence[Step]) -> frozenset[tuple[int, int]]:
    """Return the writes beside the path to a node that its conversation does not tell of yet.

    Each is given as its step and the position of its call there.
    """
    path = node.path()
    known = {above.step for above in path}
    told = frozenset[tuple[int, int]]().union(*(above.told for above in path))
    return untold_between(steps, known, told)


def untold_between(
    steps: Sequence[Step], known: Collection[int], told: Collection[tuple[int, int]]
) -> frozenset[tuple[int, int]]:
    """Return the writes of steps that are not known, and that nobody was told of.

    Args:
        steps: All that were made so far.
        known: Steps whose results stand in the conversation.
        told: Writes that it tells of, each as its step and the position of its call there.
    """
    return frozenset(
        (step.id, position)
        for step in steps
        if step.id not in known
        for position, observation in enumerate(step.observations)
        if has_written(observation) and (step.id, position) not in told
    )


def tell_writes(writes: Collection[tuple[int, int]], steps: Sequence[Step]) -> tuple[Message, ...]:
    """Return the messages that tell of writes: one with the calls, one with each result; none for none."""
    if not writes:
        return ()
    calls, results = [], []
    for step_id, position in sorted(writes):
        step = steps[step_id]
        call = replace(step.calls[position], id=f"earlier-{step_id}-{position}")
        calls.append(call)
        results.append(result_message(call, step.observations[position]))
    return (Message(role="assistant", text=prompt("dfsdt_written"), calls=tuple(calls)), *results)
