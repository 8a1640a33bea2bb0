"""The evaluator ``gpt4tools``: the right tools, on the right files, with the right arguments and answer."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.evaluators.base import Evaluator
from toolhaft.evaluators.match import equal_json
from toolhaft.types import Score, Task, Trajectory
from toolhaft_evals.gpt4tools.data import gold_of
from toolhaft_evals.gpt4tools.transcript import (
    ToolStep,
    Transcript,
    files_in,
    read_argument,
    transcript_of,
)


class GPT4Tools(Evaluator):
    """1 if every step and the answer are right and nothing else was done, else 0.

    A step is right if its tool is, its files are the same by name and in order, and its arguments are
    equal: as JSON, or else word for word whatever the punctuation. An answer is right if it is there, names
    the files that the gold answer names and no others, and holds the task's ``gold.facts``.

    Source: Yang et al., "GPT4Tools: Teaching Large Language Model to Use Tools via Self-instruction" (2023),
    section 4.3, for what is measured. Deviation: files and arguments are compared, not weighed by their
    words, and the answer is looked at; `CompatibleGPT4Tools` keeps the published rule.
    """

    name = "gpt4tools"

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no gold transcript."""
        gold_of(task)

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return 1 or 0, with the parts ``decision``, ``precision``, ``recall`` and ``answer``."""
        gold, made = gold_of(task), transcript_of(trajectory)
        right = _longest_agreement(made.steps, gold.steps)
        decision = bool(made.steps) == bool(gold.steps)
        facts = task.gold.facts if task.gold is not None else ()
        answered = _answers(made, gold, facts)
        outcome, reason = _judge(made, gold, decision, answered)
        return Score(
            name="gpt4tools",
            value=float(outcome == "correct"),
            reason=reason,
            details={"right_steps": right, "steps": len(made.steps), "gold_steps": len(gold.steps)},
            evaluator=self.name,
            parts={
                "decision": float(decision),
                "precision": right / len(made.steps) if made.steps else float(decision),
                "recall": right / len(gold.steps) if gold.steps else float(decision),
                "answer": float(answered),
            },
            outcome=outcome,
        )


def _judge(made: Transcript, gold: Transcript, decision: bool, answered: bool) -> tuple[str, str]:
    if not (made.thoughts or made.steps or made.answer is not None):
        return "unparseable", "nothing in it is of the form Thought, Action, AI"
    if not decision:
        used = "a tool was used, though none is needed" if made.steps else "no tool was used"
        return "wrong_decision", used
    for number, (one, other) in enumerate(zip(made.steps, gold.steps, strict=False), start=1):
        if wrong := _difference(one, other):
            return (
                wrong,
                f"step {number}: {one.action}({one.argument:.80}), not {other.action}({other.argument:.80})",
            )
    if len(made.steps) != len(gold.steps):
        kind = "extra_step" if len(made.steps) > len(gold.steps) else "missing_step"
        return kind, f"{len(made.steps)} steps, not {len(gold.steps)}"
    if not answered:
        return "wrong_answer", f"the answer {_cut(made.answer)!r} does not fit {_cut(gold.answer)!r}"
    return "correct", "every step and the answer are right"


def _cut(answer: str | None) -> str:
    return (answer or "")[:80]


def _difference(made: ToolStep, gold: ToolStep) -> str:
    if made.action.strip() != gold.action.strip():
        return "wrong_tool"
    if files_in(made.argument) != files_in(gold.argument):
        return "wrong_file"
    same = equal_json(read_argument(made.argument), read_argument(gold.argument))
    return "" if same else "wrong_arguments"


def _longest_agreement(made: Sequence[ToolStep], gold: Sequence[ToolStep]) -> int:
    """Return how many steps agree in order: the length of the longest common subsequence."""
    row = [0] * (len(gold) + 1)
    for one in made[:200]:
        before, row = row, [0] * (len(gold) + 1)
        for number, other in enumerate(gold):
            fits = not _difference(one, other)
            row[number + 1] = before[number] + 1 if fits else max(before[number + 1], row[number])
    return row[-1]


def _answers(made: Transcript, gold: Transcript, facts: Sequence[str]) -> bool:
    if gold.answer is None:
        return True
    if not made.answer:
        return False
    said = made.answer.casefold()
    held = all(any(one.strip().casefold() in said for one in fact.split("|")) for fact in facts)
    return held and set(files_in(made.answer)) == set(files_in(gold.answer))
