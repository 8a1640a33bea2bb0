"""``toolhaft data``: looking into training rows, and making them from stored runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolhaft.cli.catalogs import AsJSON
from toolhaft.cli.output import print_json, print_line, print_table
from toolhaft.errors import UsageError

if TYPE_CHECKING:
    from toolhaft.generators.base import Drops

app = typer.Typer(
    help="Look into training data, and export it from stored runs.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SHOWN = 400


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="Training rows (.jsonl).")],
    samples: Annotated[int, typer.Option(help="How many rows to print, spread over the file.", min=0)] = 1,
    as_json: AsJSON = False,
) -> None:
    """Count rows, tools, calls and labels of a file of training rows, and print some of them."""
    from toolhaft.generators.rows import read_rows

    summary = _Summary()
    for row in read_rows(file):
        summary.add(row)
    if not summary.rows:
        raise UsageError("no rows", where=str(file))
    chosen = {round(i * summary.rows / samples) for i in range(samples)} if samples else set()
    picked = [row for number, row in enumerate(read_rows(file)) if number in chosen]
    if as_json:
        print_json({**summary.as_json(), "samples": picked})
        return
    print_table(["", ""], summary.table())
    for row in picked:
        print_line()
        _print_row(row)


@app.command("export")
def export(
    run: Annotated[
        Path, typer.Argument(help="Folder of a stored run, batch or evaluation, or a .jsonl file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File of rows to write.")],
    include: Annotated[
        list[str] | None,
        typer.Option(
            help="A label to export too: heuristic, replay, scripted, simulated, replayed or failed."
        ),
    ] = None,
    system: Annotated[
        Path | None, typer.Option(help="File with the system prompt that the planner had.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Write the answer paths of stored rollouts as training rows.

    What a language model did not do, what was not really asked, and what failed is left out unless it is
    asked for, and counted.
    """
    from toolhaft.generators.base import Drops
    from toolhaft.generators.rows import check_include, write_rows

    labels = check_include(include or ())
    drops = Drops()
    prompt = _read_text(system) if system is not None else None
    count = write_rows(output, _rows(run, labels, prompt, drops))
    if as_json:
        print_json({"rows": count, "file": str(output), "drops": dict(drops.counts)})
    else:
        print_line(f"{count} rows in {output}")
        if drops.total:
            print_table(["LEFT OUT", "WHY"], [(n, why) for why, n in drops.counts.most_common()])
            print_line("To have them too: --include LABEL")
    raise typer.Exit(0 if count else 1)


def _rows(run: Path, labels: frozenset[str], system: str | None, drops: Drops) -> Iterator[dict[str, Any]]:
    from toolhaft.evaluators.prediction import PREDICTION
    from toolhaft.generators.rows import left_out, row_of
    from toolhaft.report.store import is_evaluation, load_evaluation, load_run

    arms = load_evaluation(run).arms.values() if run.is_dir() and is_evaluation(run) else [load_run(run)]
    for trajectories, scores in arms:
        for trajectory in trajectories:
            found = scores.get(trajectory.id, [])
            row = row_of(trajectory, system=system, **({"score": found[0].value} if found else {}))
            about = row["metadata"]
            if found and found[0].value < 1 and "failed" not in about["labels"]:
                about["labels"].append("failed")
            if trajectory.planner == PREDICTION:
                drops.add("a prediction: what the model was shown is not kept", trajectory.id)
            elif label := left_out(about["labels"], labels):
                drops.add(f"labelled {label}", trajectory.id)
            elif not trajectory.steps:
                drops.add("without a step", trajectory.id)
            else:
                yield row


class _Summary:
    """Counts what is in rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.messages: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.generators: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.offered: set[str] = set()
        self.instructions: set[str] = set()
        self.lengths: list[int] = []

    def add(self, row: dict[str, Any]) -> None:
        self.rows += 1
        about = row.get("metadata", {})
        length = 0
        for message in row["messages"]:
            self.messages[message["role"]] += 1
            length += len(message.get("content", ""))
            if message["role"] == "user":
                self.instructions.add(message.get("content", ""))
            for call in message.get("tool_calls", []):
                self.calls[call["function"]["name"]] += 1
                length += len(str(call["function"]["arguments"]))
        self.lengths.append(length)
        self.offered |= {tool["function"]["name"] for tool in row.get("tools", [])}
        labels = about.get("labels") if isinstance(about.get("labels"), list) else []
        self.labels.update(map(str, labels or ["none"]))
        self.generators[str(about.get("generator", "unknown"))] += 1
        self.splits[str(about.get("split", "none"))] += 1

    def as_json(self) -> dict[str, Any]:
        lengths = sorted(self.lengths)
        return {
            "rows": self.rows,
            "instructions": len(self.instructions),
            "messages": dict(self.messages),
            "calls": self.calls.total(),
            "tools_called": len(self.calls),
            "tools_offered": len(self.offered),
            "labels": dict(self.labels),
            "generators": dict(self.generators),
            "splits": dict(self.splits),
            "characters": {
                "median": lengths[len(lengths) // 2],
                "p95": lengths[int(0.95 * (len(lengths) - 1))],
                "largest": lengths[-1],
            },
            "most_called": dict(self.calls.most_common(10)),
        }

    def table(self) -> list[tuple[str, str]]:
        said = self.as_json()
        return [
            (name.replace("_", " "), _one_line(value))
            for name, value in said.items()
            if name != "most_called"
        ] + [("most called", _one_line(said["most_called"]))]


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return str(value)


def _print_row(row: dict[str, Any]) -> None:
    tools = ", ".join(tool["function"]["name"] for tool in row.get("tools", []))
    print_line(f"tools: {tools or 'none'}")
    for message in row["messages"]:
        text = " ".join(str(message.get("content", "")).split())
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        if shown:
            print_line(f"{message['role']}: {shown}")
        for call in message.get("tool_calls", []):
            print_line(f"{message['role']} calls {call['function']['name']} {call['function']['arguments']}")


def _read_text(file: Path) -> str:
    from toolhaft.report.files import read_at_most

    data = read_at_most(file, 100_000, what="system prompt", hint="Name a text file")
    return data.decode("utf-8", "replace").strip()
