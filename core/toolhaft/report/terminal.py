"""A rollout as it happens, as a tree in the terminal; plain lines where there is none."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from toolhaft.report.cleaning import clean_record, clean_text
from toolhaft.report.markup import count, dump, duration, figure
from toolhaft.report.tree import OfferChange, arrange_steps, offer_change
from toolhaft.report.visible import make_line, make_visible
from toolhaft.types import (
    CallFinished,
    CallStarted,
    Event,
    Observation,
    RolloutFinished,
    RolloutStarted,
    Step,
    StepFinished,
    TextDelta,
    ToolCall,
    ToolsRetrieved,
    Trajectory,
)

_ANSWER_CAP = 4_000
_SAYING = 200
_END = {
    "answered": "Answer",
    "asked": "Asked",
    "gave_up": "Gave up",
    "refused": "Declined by the model",
    "budget": "Budget spent",
    "loop": "Ended in a loop",
    "cancelled": "Cancelled",
    "error": "Failed",
}
_NO_MODEL = {
    "heuristic": "the built-in heuristic policy, not a language model",
    "replay": "a recording, not a language model",
    "scripted": "a script, not a language model",
}


@dataclass(slots=True, kw_only=True)
class _State:
    """What has been heard of the rollout so far."""

    head: list[Text] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    pending: dict[str, tuple[ToolCall, Observation | None]] = field(default_factory=dict)
    saying: str = ""
    trajectory: Trajectory | None = None


class LiveTree:
    """Shows a rollout's events: retrieved tools, calls, observations, errors, the answer.

    On a terminal the tree is drawn anew with each event and stands complete at the end; branches that
    were given up are dim. Elsewhere each event is a line. Control characters of untrusted text are
    spelled out, so that none reaches the terminal.

    Use it as a context manager and hand it each event, or let `follow` do so::

        with LiveTree() as tree:
            trajectory = await tree.follow(agent.stream("..."))

    Args:
        console: Where to write; None is standard error, so that standard output stays clean.
        plain: Whether to write lines whatever the console is; None asks the console.
        quiet: Shows nothing, and still hands back the trajectory.
        redact: Removes secrets from a text.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        plain: bool | None = None,
        quiet: bool = False,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._plain = not self._console.is_terminal if plain is None else plain
        self._quiet = quiet
        self._redact = redact
        self._state = _State()
        self._live: Live | None = None
        self._finished: Trajectory | None = None
        unicode = self._console.encoding.lower().startswith("utf")
        self._signs = _Signs() if unicode else _Signs(rail="|", branch="+-", dot="*", cross="x", arrow="->")

    def feed(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RolloutStarted):
            self._state = _State()
        if isinstance(event, RolloutFinished):
            self._finished = event.trajectory
        # A delta may hold half a secret: deltas are redacted when they are drawn, joined.
        lines = self._hear(event if isinstance(event, TextDelta) else clean_record(event, self._redact))
        if self._quiet:
            return
        if self._plain:
            for line in lines:
                self._write(line)
        elif self._live is not None:
            self._live.update(_Tail(self._draw()), refresh=not isinstance(event, TextDelta))
        if isinstance(event, RolloutFinished) and not self._plain:
            self._leave_complete()

    async def follow(self, events: AsyncIterator[Event]) -> Trajectory | None:
        """Show all events and return the trajectory that the last one carries; None if it is missing."""
        async for event in events:
            self.feed(event)
        return self._finished

    def __enter__(self) -> Self:
        if not self._plain and not self._quiet:
            self._live = Live(
                console=self._console, transient=True, auto_refresh=False, vertical_overflow="crop"
            )
            self._live.start()
        return self

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else, who asks a question, say."""
        live = self._live
        if live is None:
            yield
            return
        live.update(Text(""), refresh=True)
        live.stop()
        try:
            yield
        finally:
            live.start()
            live.update(_Tail(self._draw()), refresh=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            if self._state.trajectory is None and self._state.head:
                self._write_all(self._draw())
        elif not self._quiet:
            # A rollout that broke off: the calls that no finished step has shown.
            self._write_all([self._call(*pending) for pending in self._state.pending.values()])

    def _leave_complete(self) -> None:
        """Print the whole tree above the region that is redrawn, so that it stays."""
        whole = self._draw()
        if self._live is not None:
            self._live.update(Text(""), refresh=True)
        self._write_all(whole)
        trajectory = self._state.trajectory
        self._state = _State(trajectory=trajectory)

    def _hear(self, event: Event) -> list[Text]:
        """Take the event into the state and return its plain lines."""
        state = self._state
        if isinstance(event, RolloutStarted | ToolsRetrieved):
            line = self._task(event) if isinstance(event, RolloutStarted) else self._hits(event)
            state.head.append(line)
            return [line]
        if isinstance(event, TextDelta):
            state.saying = (state.saying + event.text)[-4 * _SAYING :]
            return []
        if isinstance(event, CallStarted):
            state.pending[event.call.id] = (event.call, None)
            return []
        if isinstance(event, CallFinished):
            state.pending[event.call.id] = (event.call, event.observation)
            return []
        if isinstance(event, StepFinished):
            return self._finish_step(event.step)
        return self._finish(event.trajectory)

    def _finish_step(self, step: Step) -> list[Text]:
        state = self._state
        state.pending.clear()
        state.saying = ""
        last = state.steps[-1].id if state.steps else None
        lines = []
        if step.parent != last:
            where = "the task" if step.parent is None else f"step {step.parent + 1}"
            lines.append(Text.assemble((f"Back to {where}", "dim")))
        state.steps.append(step)
        return [*lines, *self._step(step, offer_change(state.steps, len(state.steps) - 1))]

    def _finish(self, trajectory: Trajectory) -> list[Text]:
        self._state.trajectory = trajectory
        self._state.steps = list(trajectory.steps)
        return self._end(trajectory)

    def _draw(self) -> list[Text]:
        """Return every line of the tree as it stands."""
        state = self._state
        end = state.trajectory
        current = end.answer_step if end else (len(state.steps) - 1 if state.steps else None)
        lines = list(state.head)
        depth = 0
        for row in arrange_steps(state.steps, current):
            depth = row.depth
            dim = "" if row.on_path else "dim"
            for number, line in enumerate(self._step(row.step, row.offer)):
                lines.append(self._indent(row.depth, row.opens and number == 0, dim).append_text(line))
                lines[-1].stylize(dim)
        if end is not None:
            return [*lines, *self._end(end)]
        for call, observation in state.pending.values():
            lines.append(self._indent(depth, False, "").append_text(self._call(call, observation)))
        if state.saying:
            said = make_line(clean_text(state.saying, self._redact)[-_SAYING:], _SAYING)
            lines.append(self._indent(depth, False, "").append(said, style="italic dim"))
        return lines

    def _step(self, step: Step, offer: OfferChange) -> list[Text]:
        by_call = {observation.call_id: observation for observation in step.observations}
        lines = [self._call(call, by_call.get(call.id)) for call in step.calls]
        if not lines and step.status != "answered":  # the text of an answer follows as the answer
            lines = [self._thought(step)]
        changed = str(offer)
        return [_one_line((f"{self._signs.dot} {changed}", "dim")), *lines] if changed else lines

    def _thought(self, step: Step) -> Text:
        said = make_line(step.thought, 160) or f"({step.status.replace('_', ' ')})"
        return _one_line((f"{self._signs.dot} ", "green" if step.status == "answered" else ""), (said, ""))

    def _indent(self, depth: int, opens: bool, style: str) -> Text:
        rails = f"{self._signs.rail} " * min(depth, 8)
        if opens:
            rails = rails[:-2] + self._signs.branch
        return _one_line((f"  {rails}", style or "dim"))

    def _task(self, event: RolloutStarted) -> Text:
        by = ", ".join(name for name in (event.planner, event.model) if name)
        return Text.assemble(
            ("Task  ", "bold"),
            make_line(event.task.instruction, 400),
            (f"  ({make_line(by, 120)})", "dim"),
        )

    def _hits(self, event: ToolsRetrieved) -> Text:
        head = f"{len(event.hits)} of {count(event.pool, 'tool')}"
        if event.retriever:
            head += f" by {make_line(event.retriever, 40)}"
        hits = [f"{make_line(name, 64)} {figure(score)}" for name, score in event.hits[:8]]
        if len(event.hits) > 8:
            hits.append("...")
        return Text.assemble(("Tools ", "bold"), f"{head}: ", (", ".join(hits), "dim"))

    def _call(self, call: ToolCall, observation: Observation | None) -> Text:
        failed = observation is not None and observation.failed
        line = _one_line(
            (f"{self._signs.cross if failed else self._signs.dot} ", "red" if failed else "cyan"),
            (make_line(call.name, 64), "bold"),
            (f"({self._arguments(call)})", ""),
        )
        if observation is None:
            return line.append(" ...", style="dim")
        marks: list[str] = [] if observation.provenance == "live" else [observation.provenance]
        marks += [time] if (time := duration(observation.seconds)) else []
        if marks:
            line.append(f" {', '.join(marks)}", style="dim")
        line.append(f" {self._signs.arrow} ", style="dim")
        if observation.error is not None:
            said = f"{observation.error.code}: {observation.error.what}"
            return line.append(make_line(said, 200), style="red")
        return line.append(make_line(observation.text(), 120) or "(empty)")

    def _arguments(self, call: ToolCall) -> str:
        if call.problem:
            return make_line(call.raw, 80)
        shown = []
        for name, value in list(call.arguments.items())[:12]:
            text = dump(value)
            shown.append(f"{make_line(name, 40)}={make_line(text, 60)}")
        return ", ".join(shown)

    def _end(self, trajectory: Trajectory) -> list[Text]:
        lines = []
        failed = trajectory.status == "error"  # whoever drives the rollout gets the error, and shows it
        if trajectory.error is not None and not failed:
            failure = make_line(f"{trajectory.error.code}: {trajectory.error}", 600)
            lines.append(Text.assemble((failure, "red")))
        empty = "the rollout ended before there was an answer" if failed else "none was given"
        answer = make_visible(trajectory.answer[:_ANSWER_CAP]).strip() or empty
        answered = trajectory.status == "answered"
        title = _END[trajectory.status]
        lines.append(Text.assemble((f"{title}  ", "bold green" if answered else "bold yellow"), answer))
        usage = trajectory.usage
        facts = [
            count(len(trajectory.steps), "step"),
            count(usage.model_calls, "model call"),
            count(usage.tool_calls, "tool call"),
            duration(usage.seconds),
        ]
        lines.append(Text.assemble((f"      {', '.join(fact for fact in facts if fact)}", "dim")))
        others = [_NO_MODEL[origin] for origin in trajectory.origins if origin in _NO_MODEL]
        if others:
            lines.append(Text.assemble((f"      Steps by {' and '.join(others)}", "magenta")))
        return lines

    def _write_all(self, lines: list[Text]) -> None:
        for line in lines:
            self._write(line)

    def _write(self, line: Text) -> None:
        encoding = self._console.encoding
        shown = line
        if not encoding.lower().startswith("utf"):
            shown = Text(line.plain.encode(encoding, "backslashreplace").decode(encoding))
        self._console.print(
            shown,
            soft_wrap=self._plain,
            no_wrap=None if self._plain else line.no_wrap,
            overflow=None if self._plain else line.overflow,
            highlight=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    rail: str = "│"
    branch: str = "├╴"
    dot: str = "●"
    cross: str = "✗"
    arrow: str = "→"


class _Tail:
    """The last lines of a drawing that is taller than the terminal."""

    def __init__(self, lines: list[Text]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = max(3, console.height - 1)
        drawn: list[list[Segment]] = []
        for line in self._lines:
            drawn.extend(console.render_lines(line, options.update(height=None), pad=False))
        for row in drawn[-height:]:
            yield from row
            yield Segment.line()


def _one_line(*parts: tuple[str, str]) -> Text:
    """Return text that is cut at the terminal's edge instead of going on below."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
