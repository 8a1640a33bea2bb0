"""Every measurement, one after the other; `make bench` runs this.

Usage: python benchmarks/run.py [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / ".venv-bench"
LONG = ("soak", "openapi_oracles", "openapi_peers", "openapi_roundtrip", "search_choices")
"""What takes many minutes; each has a target of its own in the Makefile."""
NAMES = sorted(
    path.stem
    for path in HERE.glob("*.py")
    if path.stem not in ("run", *LONG) and "def main(" in path.read_text(encoding="utf-8")
)


def main() -> None:
    """Make the peers' environment if it is missing, then run the scripts."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        requirements = HERE / "peers" / "requirements.txt"
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements],
            cwd=HERE.parent,
            check=True,
        )
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py"], check=False)


if __name__ == "__main__":
    main()
