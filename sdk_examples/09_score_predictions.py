"""Score what two models said, without a rollout: same evaluators, intervals and report as a world's."""

import tempfile
from pathlib import Path

from toolhaft.report.store import save_evaluation
from toolhaft.runs.predictions import evaluate_predictions
from toolhaft.types import Prediction, Task
from toolhaft_evals.bfcl.evaluator import BFCL

alarm = {
    "name": "clock.set",
    "parameters": {
        "type": "dict",
        "properties": {"hour": {"type": "integer"}, "label": {"type": "string"}},
        "required": ["hour"],
    },
}
tasks = [
    Task(
        id=f"alarm-{hour}",
        instruction=f"Wake me at {hour}.",
        metadata={
            "functions": [alarm],
            # Every acceptable value of each argument; "" says that it may be left out.
            "possible_answer": [{"clock.set": {"hour": [hour], "label": ["wake up", ""]}}],
        },
    )
    for hour in range(1, 9)
]


def answers(write):
    """Return one prediction for each task."""
    return [Prediction(task_id=task.id, text=write(number)) for number, task in enumerate(tasks, start=1)]


found = evaluate_predictions(
    tasks,
    {
        "careful": answers(lambda hour: f"[clock.set(hour={hour}, label='Wake-up')]"),
        "careless": answers(lambda hour: f"[clock.set(hour={hour + hour % 2})]"),
    },
    [BFCL()],
    references={"floor: silence": answers(lambda _: "I cannot do that.")},
)
for arm in found.comparison.arms:
    low, high = 100 * arm.passes.low, 100 * arm.passes.high
    print(f"{arm.name}: {arm.passes.passed} of {arm.passes.total}, {low:.0f}-{high:.0f} %, {arm.failures}")
(pairing,) = found.comparison.pairings
print(f"{pairing.b} - {pairing.a}: {100 * pairing.difference:+.0f} points, p = {pairing.mcnemar_p}")

with tempfile.TemporaryDirectory() as folder:
    files = save_evaluation(Path(folder) / "alarms", found.comparison, found.records)
    print(files.html.name, files.html.stat().st_size > 10_000)

# prints: careful: 8 of 8, 68-100 %, {'passed': 8}
# prints: careless: 4 of 8, 22-78 %, {'passed': 4, 'wrong_value': 4}
# prints: floor: silence: 0 of 8, 0-32 %, {'abstained': 8}
# prints: careless - careful: -50 points, p = 0.125
# prints: report.html True
