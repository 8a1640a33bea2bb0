"""Measure what holding a local model to its tools' schemas costs: constrained against free, in one run.

python benchmarks/local.py [--tokens N] [--rounds N]

The models are random and tiny, so that nearly all of a step is overhead: the ratio is the worst there is. The
absolute cost of a token depends on the vocabulary and the grammar, not on the model, so it can be set beside
the time that a real model takes for a token.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from toolhaft import open_catalog
from toolhaft.types import Message, ToolSpec

ROOT = Path(__file__).resolve().parent.parent
ASKED = (Message(role="user", text="What is the weather in Oslo tomorrow?"),)
VOCABULARIES = (400, 8_000)


def corpus() -> list[str]:
    """Return the project's own pages and sources: something for a tokenizer to learn from."""
    files = [
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("core/toolhaft/**/*.py"),
        *ROOT.glob("tool_specs/**/*.json"),
    ]
    return [file.read_text(encoding="utf-8")[:200_000] for file in sorted(files)]


def time_tokens(model: Any, tools: tuple[ToolSpec, ...], tokens: int, rounds: int) -> dict[str, float]:
    """Return milliseconds of processor time a token by mode: means, the modes taken in turns."""
    from toolhaft_local.generation import Sampling, generate

    loaded, prompter = model._open()
    prompt = prompter.prompt(ASKED, tools, ())
    found: dict[str, list[float]] = {mode: [] for mode in ("off", "auto", "calls")}
    for seed in range(rounds):
        for mode, times in found.items():
            stamps: list[float] = []
            generate(
                loaded,
                prompt,
                limit=tokens,
                sampling=Sampling(temperature=1.0, seed=seed),
                constraint=prompter.constraint(tools, mode),
                on_token=lambda _: stamps.append(time.process_time()),  # noqa: B023 - called at once
                stopped=lambda: False,
            )
            times += [1_000 * (after - before) for before, after in itertools.pairwise(stamps)]
    return {mode: statistics.fmean(times) for mode, times in found.items()}


async def time_compilation(folder: Path, tools: tuple[ToolSpec, ...]) -> tuple[float, float]:
    """Return milliseconds until the first token is allowed: the first time, and with the grammar kept."""
    from toolhaft_local.model import LocalModel

    model = LocalModel(str(folder), max_tokens=1, threads=1)
    await model.complete(ASKED, ())
    prompter = model._open()[1]
    times = []
    prompter.constraint(tools[:1], "auto")
    for _ in range(2):
        started = time.perf_counter()
        prompter.constraint(tools, "auto")
        times.append(1_000 * (time.perf_counter() - started))
    return times[0], times[1]


async def measure(tokens: int, rounds: int) -> None:
    from toolhaft_local.model import LocalModel
    from toolhaft_local.tiny import write_tiny_model

    catalog = open_catalog("world:")
    texts = corpus()
    sets = {
        count: tuple(catalog.spec(name) for name in sorted(catalog.names)[::7][:count]) for count in (4, 12)
    }
    columns = ["vocabulary", "tools", "free ms", "auto ms", "calls ms"]
    columns += ["auto/free", "calls/free", "compile ms", "kept ms"]
    print(" ".join(f"{column:>10}" for column in columns))
    with tempfile.TemporaryDirectory() as scratch:
        for vocabulary in VOCABULARIES:
            folder = write_tiny_model(
                Path(scratch) / str(vocabulary),
                vocabulary=vocabulary,
                context=32_768,
                corpus=texts if vocabulary > 400 else (),
            )
            for count, tools in sets.items():
                model = LocalModel(str(folder), threads=1)
                times = time_tokens(model, tools, tokens, rounds)
                free, auto, calls = times["off"], times["auto"], times["calls"]
                compiled, kept = await time_compilation(folder, tools)
                figures = (free, auto, calls, auto / free, calls / free, compiled, kept)
                row = [f"{vocabulary:>10}", f"{count:>10}", *(f"{figure:>10.2f}" for figure in figures)]
                print(" ".join(row), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"peak memory of this process, torch and transformers included: {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.tokens, chosen.rounds))


if __name__ == "__main__":
    main()
