"""The evaluator ``gpt4tools-compat``: the success rates as the published code computes them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from toolhaft.evaluators.base import Evaluator
from toolhaft.types import Score, Task, Trajectory
from toolhaft_evals.gpt4tools.data import gold_of
from toolhaft_evals.gpt4tools.transcript import Transcript, transcript_of

_ENOUGH = 0.5


class CompatibleGPT4Tools(Evaluator):
    """1 if thoughts and actions are all right and the arguments reach 0.5, else 0.

    Of arguments, any file name passes for any other, and a text counts by its BLEU-1: read the figures
    as upper bounds. Where no tool is needed, any answer passes.

    Source: Yang et al., "GPT4Tools: Teaching Large Language Model to Use Tools via Self-instruction" (2023),
    section 4.3, as its published evaluation code carries it out.
    """

    name = "gpt4tools-compat"

    def check_task(self, task: Task) -> None:
        """Raise `UsageError` if the task has no gold transcript."""
        gold_of(task)

    async def evaluate(self, task: Task, trajectory: Trajectory) -> Score:
        """Return the success, with the parts ``thought``, ``action``, ``arguments`` and ``iou``."""
        gold, made = gold_of(task), transcript_of(trajectory)
        parts = _silent(made) if not gold.steps else _active(made, gold)
        passed = parts["thought"] == 1 and parts["action"] == 1 and parts["arguments"] >= _ENOUGH
        wrong = next((name for name in ("thought", "action", "arguments") if parts[name] < 1), "arguments")
        return Score(
            name="gpt4tools_compatible",
            value=float(passed),
            reason=", ".join(f"{name} {figure:.2f}" for name, figure in parts.items()),
            evaluator=self.name,
            parts=parts,
            outcome="correct" if passed else f"wrong_{wrong}",
        )


def _silent(made: Transcript) -> dict[str, float]:
    """Return the parts where no tool is needed: all or nothing, whatever the answer says."""
    right = float(made.thoughts[:1] == ("No",) and made.answer is not None)
    return dict.fromkeys(("thought", "action", "arguments", "iou"), right)


def _active(made: Transcript, gold: Transcript) -> dict[str, float]:
    thoughts, wanted_thoughts = _decisions(made), _decisions(gold)
    thought = _flags(thoughts, wanted_thoughts)
    action = _flags([step.action for step in made.steps], [step.action for step in gold.steps])
    scores = [
        argument_score(one.argument, other.argument)
        for one, other in zip(made.steps, gold.steps, strict=False)
    ]
    scores += [0.0] * (max(len(made.steps), len(gold.steps)) - len(scores))
    found = [*thought, *action, *scores]
    wanted = [
        *_places(len(thought), len(wanted_thoughts)),
        *_places(len(action), len(gold.steps)),
        *_places(len(scores), len(gold.steps)),
    ]
    both = math.fsum(r * g for r, g in zip(found, wanted, strict=True))
    either = math.fsum(max(r, g) for r, g in zip(found, wanted, strict=True))
    return {
        "thought": _mean(thought),
        "action": _mean(action),
        "arguments": _mean(scores),
        "iou": both / max(1.0, either),
    }


def _decisions(transcript: Transcript) -> tuple[str, ...]:
    """Return the thoughts without the last "No", where it is one more than there are steps."""
    thoughts = transcript.thoughts
    return thoughts[:-1] if len(thoughts) == len(transcript.steps) + 1 and thoughts[-1] == "No" else thoughts


def argument_score(made: str, gold: str) -> float:
    """Return what an input is worth: the mean over its parts between commas, 0 if their numbers differ."""
    parts, wanted = made.split(","), gold.split(",")
    if len(parts) != len(wanted):
        return 0.0
    scores = []
    for part, other in zip(parts, wanted, strict=True):
        if ".png" not in other:
            scores.append(bleu_1(part, other))
        elif ".png" in part:
            scores.append(1.0)
        else:
            return 0.0
    return _mean(scores)


def bleu_1(made: str, gold: str) -> float:
    """Return BLEU with single words and one reference, in [0, 1].

    Source: Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002).
    """
    words, wanted = made.split(), gold.split()
    if not words or not wanted:
        return 0.0
    hits = (Counter(words) & Counter(wanted)).total()
    brevity = min(1.0, math.exp(1 - len(wanted) / len(words)))
    return brevity * hits / len(words)


def _flags(made: Sequence[str], gold: Sequence[str]) -> list[float]:
    length = max(len(made), len(gold))
    same = [float(one == other) for one, other in zip(made, gold, strict=False)]
    return same + [0.0] * (length - len(same))


def _places(length: int, gold: int) -> list[float]:
    return [float(position < gold) for position in range(length)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
