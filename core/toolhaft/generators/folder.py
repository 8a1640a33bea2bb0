"""The folder of one generation: what is written there, and what is found there when it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolhaft.errors import FormatError, UsageError
from toolhaft.generators.base import Drops
from toolhaft.generators.solutions import Solution
from toolhaft.report.cleaning import clean_json, clean_record
from toolhaft.report.files import read_at_most, read_lines, read_object, read_record, write_whole, writing
from toolhaft.report.prepared import score_lines
from toolhaft.report.store import SCORES, TRAJECTORIES, load_run
from toolhaft.types import Task, from_value, to_json, to_value

TASKS = "tasks.jsonl"
SETTINGS = "settings.json"
DROPS = "drops.json"
REPORT = "generation.json"
_HINT = "Name a folder that `toolhaft generate` wrote"
_LARGEST = 10_000_000


class GenerationFolder:
    """Keeps the files of a generation; every text is redacted before it is written.

    Args:
        path: Made when it is begun.
        redact: Removes secrets from a text.
    """

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        self.path = path
        self._redact = redact

    def begin(self, settings: dict[str, Any]) -> None:
        """Make the folder, or see that what is in it was made with the same settings.

        Raises:
            UsageError: It holds something else, or what other settings made, or it cannot be written.
            FormatError: Its settings are damaged.
        """
        said = json.loads(json.dumps(self.clean(settings)))
        file = self.path / SETTINGS
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if not file.exists() and any(self.path.iterdir()):
                raise UsageError(
                    "the folder holds something else", where=str(self.path), hint="Name another with -o"
                )
        if not file.exists():
            self.write_json(SETTINGS, said)
        elif self._read_json(SETTINGS) != said:
            raise UsageError(
                "what is in the folder was made with other settings",
                where=str(self.path),
                hint="Name another folder with -o, or give the same settings to go on",
            )

    def clean(self, value: Any) -> Any:
        """Return a JSON value with every text redacted."""
        return clean_json(value, self._redact)

    def write_json(self, name: str, value: Any) -> None:
        """Write a file of one JSON document, all or not at all."""
        with writing(self.path):
            write_whole(self.path / name, [json.dumps(self.clean(value), indent=1).encode() + b"\n"])

    def write_tasks(self, tasks: Sequence[Task], drops: Drops) -> None:
        """Write the tasks, and what was left out on the way to them."""
        self.write_json(DROPS, {"counts": dict(drops.counts), "examples": drops.examples})
        cleaned = (from_value(Task, self.clean(to_value(task))) for task in tasks)
        with writing(self.path):
            write_whole(self.path / TASKS, (to_json(task) + b"\n" for task in cleaned))

    def tasks(self, drops: Drops) -> list[Task] | None:
        """Return the tasks that are there, and add what was left out; None if there are none yet.

        Raises:
            FormatError: A file is damaged.
        """
        if not (self.path / TASKS).is_file():
            return None
        if (self.path / DROPS).is_file():
            kept = self._read_json(DROPS)
            counts, examples = kept.get("counts"), kept.get("examples")
            if not isinstance(counts, dict) or not isinstance(examples, dict):
                raise FormatError("not the counts of a generation", where=str(self.path / DROPS))
            drops.counts.update({str(name): int(count) for name, count in counts.items()})
            drops.examples.update({str(name): str(text) for name, text in examples.items()})
        return list(read_tasks(self.path / TASKS))

    def solutions(self, tasks: Sequence[Task]) -> dict[str, Solution]:
        """Return the solutions that are there, by task; a last line that was cut off is taken away."""
        if not (self.path / TRAJECTORIES).is_file():
            return {}
        for name in (TRAJECTORIES, SCORES):
            _drop_cut_line(self.path / name)
        trajectories, scores = load_run(self.path)
        known = {task.id: task for task in tasks}
        found = {}
        for trajectory in trajectories:
            task = known.get(trajectory.task.id)
            if task is not None and (scored := scores.get(trajectory.id)):
                found[task.id] = Solution(task=task, trajectory=trajectory, score=scored[0])
        return found

    @contextmanager
    def adding(self) -> Iterator[Callable[[Solution], None]]:
        """Open the records, and give what adds a solution to them at once."""
        with (
            writing(self.path),
            (self.path / TRAJECTORIES).open("ab") as records,
            (self.path / SCORES).open("ab") as scores,
        ):

            def add(solution: Solution) -> None:
                if solution.trajectory is None or solution.score is None:
                    return
                clean = clean_record(solution.trajectory, self._redact)
                records.write(to_json(clean) + b"\n")
                records.flush()
                scores.writelines(score_lines({clean.id: [clean_record(solution.score, self._redact)]}))
                scores.flush()

            yield add

    def _read_json(self, name: str) -> dict[str, Any]:
        file = self.path / name
        data = read_at_most(file, _LARGEST, what="record of a generation", hint=_HINT)
        return read_object(data, str(file))


def read_tasks(file: Path) -> Iterator[Task]:
    """Iterate over the tasks of a JSON Lines file.

    Raises:
        UsageError: The file cannot be read.
        FormatError: A line is no task; the message has file and line.
    """
    for line, where in read_lines(file, _HINT):
        yield read_record(Task, line, where)


def _drop_cut_line(file: Path) -> None:
    """Take the last line of a file away if it has no end: whoever wrote it was stopped."""
    if not file.is_file():
        return
    with writing(file), file.open("rb+") as opened:
        data = opened.read()
        if data and not data.endswith(b"\n"):
            opened.truncate(data.rfind(b"\n") + 1)
