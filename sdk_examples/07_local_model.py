"""A language model in a folder of this machine, held to the tools' schemas while it writes.

The model here is tiny and random, made on the spot: what it says is noise, and still each of its calls is one
that the tool takes. `hf:FOLDER` of a real model works the same. Needs torch, transformers and llguidance.
"""

import tempfile
from pathlib import Path

from toolhaft import Agent, tool
from toolhaft.hooks import Registry
from toolhaft_local.tiny import write_tiny_model


@tool(effect="read")
def order(unit: str, count: int) -> str:
    """Say what an order of a unit would come to."""
    return f"{count} of {unit!r}"


with tempfile.TemporaryDirectory() as folder:
    write_tiny_model(Path(folder) / "tiny")
    model = Registry.load().model(
        f"hf:{folder}/tiny", temperature=1.0, seed=1, max_tokens=600, constrained="calls"
    )
    run = Agent([order], model=model, budget={"model_calls": 1}).run_sync("Order three boxes.")
    observation = next(run.trajectory.observations())
    call = run.trajectory.steps[0].calls[0]
    print(f"a call: {call.name}({', '.join(sorted(call.arguments, reverse=True))})")
    print(f"fits its schema: {not call.problem and not observation.failed}")

# prints: a call: order(unit, count)
# prints: fits its schema: True
