"""What the project's plugins cost a command line that does not use them.

The peer is the same command without any plugin: `toolhaft --help`, and listing the plugins.

Usage: python benchmarks/plugins.py   (in an environment with the core and hatchling installed)
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
COMMANDS = {"--help": ["--help"], "plugins list": ["plugins", "list"]}


def install(plugins: list[Path], target: Path) -> None:
    """Install plugins alone, without what they need, into a folder."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*command, "--no-build-isolation", "--target", str(target), *map(str, plugins)], check=True
    )


def bare(target: Path) -> Path:
    """Make an environment that sees this one's packages but none of its editable plugins."""
    packages = target / "packages"
    packages.mkdir()
    here = Path(
        subprocess.run(
            [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    for entry in here.iterdir():
        if "toolhaft_" not in entry.name:
            (packages / entry.name).symlink_to(entry)
    return packages


def cpu(command: list[str], path: str) -> float:
    """Return the CPU milliseconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run(
        [sys.executable, "-S", "-m", "toolhaft", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the table: the best of nine interleaved rounds."""
    plugins = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        install(plugins, target / "plugins")
        packages = bare(target)
        core = f"{ROOT / 'core'}{os.pathsep}{packages}"
        paths = {
            "core alone": core,
            f"with {len(plugins)} plugins": f"{core}{os.pathsep}{target / 'plugins'}",
        }
        best = {(name, which): float("inf") for name in COMMANDS for which in paths}
        for _ in range(ROUNDS):
            for name, command in COMMANDS.items():
                for which, path in paths.items():
                    best[name, which] = min(best[name, which], cpu(command, path))
    print(f"CPU ms, best of {ROUNDS}")
    for name in COMMANDS:
        alone, all_of_them = (best[name, which] for which in paths)
        print(
            f"toolhaft {name:14} {alone:6.0f} alone {all_of_them:6.0f} with {len(plugins)} plugins"
            f"   ratio {all_of_them / alone:.2f}" + ("   (aim <= 1.25)" if name == "--help" else "")
        )


if __name__ == "__main__":
    main()
