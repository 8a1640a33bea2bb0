"""Fine-tuning from rows to a model folder, small enough for seconds: a tiny random model learns one tool.

What it learns here is nothing to use; `toolhaft loop` does the same with checked tasks of the demo world.
"""

import json
import tempfile
from pathlib import Path

from toolhaft_finetune.loop.settings import LoopSettings
from toolhaft_finetune.loop.tiny import write_base
from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.sft import train_sft

CITIES = ("Oslo", "Lisbon", "Kyoto", "Nairobi", "Quito", "Perth")
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "getWeather", "description": "Weather of a city.", "parameters": PARAMETERS}


def row(city: str) -> dict[str, object]:
    """Return what `toolhaft data export` writes: messages, tools, and who made them."""
    call = {"type": "function", "id": "1", "function": {"name": "getWeather", "arguments": {"city": city}}}
    return {
        "messages": [
            {"role": "user", "content": f"Do I need an umbrella in {city}?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ],
        "tools": [{"type": "function", "function": TOOL}],
        "metadata": {"origins": ["model"]},
    }


with tempfile.TemporaryDirectory() as place:
    folder = Path(place)
    lines = [json.dumps(row(city)) for city in CITIES]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    write_base(folder / "model", lines, LoopSettings(vocabulary=420, width=32, layers=2))

    settings = TrainingSettings(rank=8, learning_rate=2e-2, steps=30)
    result = train_sft(folder / "model", [folder / "rows.jsonl"], folder / "out", settings)

    log = [json.loads(line) for line in (folder / "out/log.jsonl").read_text(encoding="utf-8").splitlines()]
    print("the loss fell:", log[-1]["loss"] < log[0]["loss"])
    print(sorted(path.name for path in (folder / "out").iterdir()))
    print("steps:", result.trained.steps)

# prints: the loss fell: True
# prints: ['README.md', 'adapter', 'checkpoints', 'log.jsonl', 'loss.svg', 'merged']
# prints: steps: 30
