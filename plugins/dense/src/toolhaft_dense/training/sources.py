"""Where tools and queries come from: folders in ToolBench's layout, one's own catalog, queries and runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolhaft.errors import FormatError, UsageError
from toolhaft.generators.rows import check_include, labels_of, left_out
from toolhaft.report.files import hash_file
from toolhaft.report.store import load_run
from toolhaft.runs.search_sets.base import SearchQuery, SearchSet
from toolhaft.runs.search_sets.lines import seek_file
from toolhaft.runs.search_sets.own import read_own
from toolhaft.runs.search_sets.toolbench import read_toolbench
from toolhaft.types import Step, ToolSpec, Trajectory
from toolhaft_dense.training.examples import Collector, LearningQuery, LearningSet

_FILES = ("corpus", "queries", "qrels", "train.query", "test.query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What to learn from; at least one of the first two.

    Attributes:
        folders: In ToolBench's layout, see `toolhaft.runs.search_sets.toolbench`.
        tools: Of one's own catalog; their names are unique.
        queries: Files of queries that name tools of the catalog.
        runs: Stored runs: what was called with success answers the instruction, what was offered and
            passed over, or failed, does not.
        include: Which of `toolhaft.generators.rows.LABELS` are wanted; runs with any other are left out.
    """

    folders: tuple[Path, ...] = ()
    tools: Sequence[ToolSpec] = ()
    queries: tuple[Path, ...] = ()
    runs: tuple[Path, ...] = ()
    include: tuple[str, ...] = ()


def gather(sources: Sources) -> LearningSet:
    """Read everything.

    Raises:
        UsageError: There is nothing, or a file cannot be read.
        FormatError: A line is not what it should be, or names a tool that is not there.
        UnknownNameError: ``include`` names nothing there is.
    """
    include = check_include(sources.include)
    if not sources.folders and not sources.tools and not sources.runs:
        raise UsageError(
            "there are no tools to learn", hint="Name a folder (--data) or a catalog (--catalog)"
        )
    collector = Collector()
    for folder in sources.folders:
        _add_folder(collector, folder)
    for tool in sources.tools:
        collector.add_tool(("catalog", tool.name), tool)
    for file in sources.queries:
        _add_queries(collector, read_own(file).queries, "catalog", test=False)
        collector.hashes[file.name] = hash_file(file)
    for run in sources.runs:
        for trajectory in load_run(run)[0]:
            _add_trajectory(collector, trajectory, include)
        collector.hashes[run.name] = _hash_run(run)
    return collector.collected()


def _add_folder(collector: Collector, folder: Path) -> None:
    if not folder.is_dir():
        hint = "It has corpus.tsv, train.query.txt and qrels.train.tsv, or corpus.jsonl.gz and so on"
        raise UsageError("there is no such folder", where=str(folder), hint=hint)
    parts = {"train": read_toolbench(folder, _part(folder))}
    if seek_file(folder, "test.query.txt") and not seek_file(folder, "queries.jsonl"):
        parts["test"] = read_toolbench(folder, "test")
    for name, found in parts.items():
        if name == "train":
            for tool in found.specs:
                collector.add_tool((str(folder), tool.name), tool)
        _add_queries(collector, found.queries, str(folder), test=name == "test")
        _count_notes(collector, found)
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.startswith(_FILES):
            name = path.name if path.name not in collector.hashes else str(path)  # of another folder
            collector.hashes[name] = hash_file(path)


def _part(folder: Path) -> str:
    return "" if seek_file(folder, "queries.jsonl") else "train"


def _count_notes(collector: Collector, found: SearchSet) -> None:
    for note in found.notes:
        number, _, rest = note.partition(" ")
        if number.replace(",", "").isdigit():
            collector.left_out[rest] = int(number.replace(",", ""))


def _add_queries(collector: Collector, queries: Iterable[SearchQuery], source: str, *, test: bool) -> None:
    for query in queries:
        places: list[int] = []
        for name in query.gold:
            place = collector.position((source, name))
            if place is None:
                raise FormatError(
                    f"the query needs {name!r:.120}, and there is no such tool",
                    where=query.where,
                    hint="Mend the name, or leave the query out",
                )
            places.append(place)
        collector.add_query(LearningQuery(text=query.text, positives=tuple(places)), test=test)


def _add_trajectory(collector: Collector, trajectory: Trajectory, include: Collection[str]) -> None:
    """Take a run's instruction with what was called for it, the run's own tools too if they are not known."""
    unwanted = left_out(labels_of(trajectory), include)
    if unwanted or trajectory.status != "answered":
        reason = f"runs: {unwanted}" if unwanted else "runs that did not end in an answer"
        collector.left_out[reason] += 1
        return
    known: dict[str, int] = {}
    for tool in trajectory.tools:
        place = collector.position(("catalog", tool.name))
        known[tool.name] = place if place is not None else collector.add_tool(("catalog", tool.name), tool)
    called, failed = _calls(trajectory.path())
    offered = dict.fromkeys(name for step in trajectory.steps for name in step.offered)
    positives = tuple(known[name] for name in called if name in known)
    passed_over = [name for name in (*offered, *failed) if name in known and name not in called]
    collector.add_query(
        LearningQuery(
            text=trajectory.task.instruction,
            positives=positives,
            negatives=tuple(known[name] for name in passed_over),
            origin="trajectory",
        )
    )


def _calls(path: Iterable[Step]) -> tuple[Mapping[str, None], Mapping[str, None]]:
    """Return the names of tools that were called with success, and of those whose calls failed."""
    well: dict[str, None] = {}
    badly: dict[str, None] = {}
    for step in path:
        for observation in step.observations:
            (badly if observation.failed else well)[observation.tool] = None
    return well, badly


def _hash_run(run: Path) -> str:
    return hash_file(run / "trajectories.jsonl" if run.is_dir() else run)
