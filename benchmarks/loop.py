"""Client CPU per step of an agent loop, beside a bare httpx loop and three frameworks.

Usage: python benchmarks/loop.py [--quick]   (needs .venv-bench: make bench makes it)

A stub endpoint answers with 20 tool calls and then the answer, so a rollout is 21 steps. Every loop runs in
its own process against its own stub; rows rotate and the best of the rounds counts, because these figures
are about CPU and other load only adds to it. A row whose stub did not give exactly the completions that the
loop must ask for is not shown.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
LOOPS = ("bare", "toolhaft", "pydantic_ai", "smolagents", "langchain")
SETTINGS = {"10 tools": (10, 1, 5), "200 tools": (200, 1, 3), "200 agents": (10, 200, 1)}
"""Title -> tools, agents at once, repetitions."""
ONLY_OURS = ("bare", "toolhaft")


def measure(loop: str, tools: int, agents: int, repetitions: int) -> dict[str, float] | None:
    """Run one loop in a process of its own; None if it failed or asked for the wrong number."""
    stub = subprocess.Popen([PYTHON, HERE / "peers" / "stub.py", "20"], stdout=subprocess.PIPE, text=True)
    try:
        port = int((stub.stdout.readline() if stub.stdout else "0").strip())
        words = [PYTHON, HERE / "peers" / "client.py", loop, port, tools, agents, repetitions]
        done = subprocess.run(
            [str(word) for word in words], capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode != 0:
            print(f"  {loop}: failed: {done.stderr.strip().splitlines()[-1:]}")
            return None
        result = json.loads(done.stdout.splitlines()[-1])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/count") as answer:
            given = json.load(answer)["count"]
        if given != result["completions"]:
            print(f"  {loop}: not counted: the stub gave {given} completions, not {result['completions']}")
            return None
        return dict(result)
    finally:
        stub.terminate()
        stub.wait()


def main() -> None:
    """Print the table."""
    if not PYTHON.exists():
        sys.exit("there is no .venv-bench: run make bench")
    rounds = 1 if "--quick" in sys.argv else 3
    best: dict[tuple[str, str], dict[str, float]] = {}
    for _ in range(rounds):
        for title, setting in SETTINGS.items():
            for loop in LOOPS if title != "200 agents" else ONLY_OURS:
                result = measure(loop, *setting)
                kept = best.get((loop, title))
                if result and (kept is None or result["ms_per_step"] < kept["ms_per_step"]):
                    best[loop, title] = result
    print("\nClient CPU per step, ms (x the bare httpx loop); best of", rounds, "rounds")
    print(f"{'':14}{'10 tools':>16}{'200 tools':>16}{'200 agents':>16}{'MB an agent':>13}")
    for loop in LOOPS:
        cells = []
        for title in SETTINGS:
            own, bare = best.get((loop, title)), best.get(("bare", title))
            shown = (
                f"{own['ms_per_step']:.2f} ({own['ms_per_step'] / bare['ms_per_step']:.2f}x)"
                if own and bare
                else "-"
            )
            cells.append(f"{shown:>16}")
        memory = best.get((loop, "200 agents"))
        cells.append(f"{memory['mb_per_agent']:13.2f}" if memory else f"{'-':>13}")
        print(f"{loop:14}{''.join(cells)}")
    ours, bare = best.get(("toolhaft", "10 tools")), best.get(("bare", "10 tools"))
    peers = [best[p, "10 tools"]["ms_per_step"] for p in LOOPS[2:] if (p, "10 tools") in best]
    if ours and bare and peers:
        print(f"\nours / bare, 10 tools: {ours['ms_per_step'] / bare['ms_per_step']:.2f} (aim <= 1.5)")
        print(f"ours / best framework, 10 tools: {ours['ms_per_step'] / min(peers):.2f} (aim <= 0.20)")
    many = best.get(("toolhaft", "200 tools"))
    if ours and many:
        print(f"ours with 200 tools / with 10: {many['ms_per_step'] / ours['ms_per_step']:.2f} (aim <= 1.3)")


if __name__ == "__main__":
    main()
