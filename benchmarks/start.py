"""CPU that imports and command lines cost, beside named peers.

Usage: python benchmarks/start.py   (needs .venv-bench: make bench makes it)
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

BIN = Path(__file__).resolve().parent.parent / ".venv-bench" / "bin"
ROUNDS = 7
ROWS = {
    "python -c pass": [BIN / "python", "-c", "pass"],
    "import httpx": [BIN / "python", "-c", "import httpx"],
    "from toolhaft import Agent, open_catalog, tool": [
        BIN / "python",
        "-c",
        "from toolhaft import Agent, open_catalog, tool",
    ],
    "import pydantic_ai": [BIN / "python", "-c", "import pydantic_ai"],
    "import langchain.agents": [BIN / "python", "-c", "import langchain.agents"],
    "toolhaft --help": [BIN / "toolhaft", "--help"],
    "llm --help": [BIN / "llm", "--help"],
}


def cpu(command: list[str]) -> float:
    """Return the CPU milliseconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the table: the best of seven interleaved rounds."""
    if not (BIN / "python").exists():
        sys.exit("there is no .venv-bench: run make bench")
    best = dict.fromkeys(ROWS, float("inf"))
    for _ in range(ROUNDS):
        for title, command in ROWS.items():
            best[title] = min(best[title], cpu([str(word) for word in command]))
    print("CPU ms, best of", ROUNDS)
    for title, value in best.items():
        print(f"{value:8.0f}  {title}")
    ours = best["from toolhaft import Agent, open_catalog, tool"] / best["import httpx"]
    print(f"\nimport toolhaft's face / import httpx: {ours:.2f} (aim <= 0.75)")
    print(f"toolhaft --help / llm --help: {best['toolhaft --help'] / best['llm --help']:.2f} (aim <= 0.25)")


if __name__ == "__main__":
    main()
