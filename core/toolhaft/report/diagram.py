"""The tree of a rollout as a drawing: every step a node that links to what the step did."""

from __future__ import annotations

from unicodedata import east_asian_width

from toolhaft.report.branches import Branch, branches_of, errors_of
from toolhaft.report.layout import Layout, Place, lay_out
from toolhaft.report.markup import Child, Html, count, join, tag
from toolhaft.report.visible import make_line
from toolhaft.types import Step, Trajectory

_WIDE = 124
"""Pixels from one column to the next; likewise ``_HIGH`` from one row to the next."""
_HIGH = 70
_LEFT = 30
_TOP = 34
_RADIUS = 13
_NAME = 16
"""Letters of a tool's name that fit under a node."""

_SHAPES = {
    "continued": "M-13 0a13 13 0 1 0 26 0a13 13 0 1 0-26 0z",
    "answered": "M-13 0a13 13 0 1 0 26 0a13 13 0 1 0-26 0z",
    "abandoned": "M0-16L16 0L0 16L-16 0z",
    "gave_up": "M-12-12H12V12H-12z",
    "failed": "M-5.5-13H5.5L13-5.5V5.5L5.5 13H-5.5L-13 5.5V-5.5z",
}
_RING = "M-17 0a17 17 0 1 0 34 0a17 17 0 1 0-34 0z"
_FLAG = "M9-17h10v10h-10z"

_WORDS = {
    "continued": "went on",
    "answered": "answer",
    "abandoned": "abandoned",
    "gave_up": "gave up",
    "failed": "failed",
}


def diagram_html(trajectory: Trajectory, prefix: str) -> Html | None:
    """Return the tree as a figure that works without scripts; None if there is no step.

    Args:
        trajectory: A cleaned record.
        prefix: Begins the anchors of its steps.
    """
    steps = trajectory.steps
    if not steps:
        return None
    layout = lay_out(steps, trajectory.answer_step)
    branches = branches_of(trajectory)
    places = {place.position: place for place in layout.places}
    # What lies on the way to the answer is drawn last, above the rest.
    edges = [_edge(place, places) for place in sorted(layout.places, key=lambda place: place.on_path)]
    goal = _goal(trajectory)
    nodes = [_node(place, steps[place.position], branches, prefix, goal) for place in layout.places]
    width, height = _size(layout)
    drawing = tag(
        "svg",
        tag("g", *edges, aria_hidden="true"),
        tag("g", *_start(trajectory), aria_hidden="true"),
        *nodes,
        role="list",
        aria_label=f"Tree of {count(len(layout.places), 'step')}",
        width=str(width),
        height=str(height),
        viewBox=f"0 0 {width} {height}",
    )
    return tag(
        "figure",
        tag("div", drawing, class_="canvas", tabindex="0", role="group", aria_label="Tree of steps"),
        tag("figcaption", _legend(layout, trajectory), _left_out(layout)),
        class_="diagram",
    )


def _size(layout: Layout) -> tuple[int, int]:
    return _LEFT + (layout.columns - 1) * _WIDE + _WIDE // 2 + 6, _TOP + layout.rows * _HIGH - 6


def _at(place: Place) -> tuple[int, int]:
    return _LEFT + place.column * _WIDE, _TOP + place.row * _HIGH


def _start(trajectory: Trajectory) -> list[Html]:
    tries = "@" in trajectory.planner
    return [
        tag("circle", cx=str(_LEFT), cy=str(_TOP), r="5", class_="origin"),
        tag("text", "tries" if tries else "task", x=str(_LEFT), y=str(_TOP + 30), class_="name"),
    ]


def _edge(place: Place, places: dict[int, Place]) -> Html:
    x, y = _at(place)
    parent = places.get(place.parent) if place.parent is not None else None
    left, top = _at(parent) if parent else (_LEFT, _TOP)
    begin = left + (_RADIUS if parent else 5)
    if y == top:
        line = f"M{begin} {y}H{x - _RADIUS}"
    else:
        middle = left + _WIDE // 2
        line = f"M{begin} {top}H{middle - 10}q10 0 10 10V{y - 10}q0 10 10 10H{x - _RADIUS}"
    names = "edge on" if place.on_path else "edge side"
    if place.skips:
        names += " skips"
    return tag("path", d=line, class_=names)


def _node(place: Place, step: Step, branches: dict[int, Branch], prefix: str, goal: str) -> Html:
    x, y = _at(place)
    number = str(place.position + 1)
    errors = errors_of(step.observations)
    said = _say(place, step, branches.get(place.position), errors, goal)
    status = step.status if step.status in _SHAPES else "continued"
    link = tag(
        "a",
        tag("title", said),
        tag("path", d=_RING, class_="ring") if status == "answered" else None,
        tag("path", d=_SHAPES[status], class_="shape"),
        tag("text", number, y="4", class_="number"),
        tag("path", d=_FLAG, class_="flag") if errors else None,
        tag("text", "!", x="14", y="-8.5", class_="bang") if errors else None,
        tag("text", _name(step), y="30", class_="name"),
        tag("text", make_line(errors[0], 19), y="43", class_="code") if errors else _reused(step),
        href=f"#{prefix}-step-{number}",
    )
    names = f"node {status} {'on' if place.on_path else 'side'}"
    return tag("g", link, role="listitem", class_=names, transform=f"translate({x} {y})")


def _name(step: Step) -> str:
    if not step.calls:
        return {"answered": "answer", "gave_up": "gave up", "failed": "failed"}.get(step.status, "no call")
    more = f" +{len(step.calls) - 1}" if len(step.calls) > 1 else ""
    return fit(step.calls[0].name, _NAME - len(more)) + more


def fit(name: str, room: int) -> str:
    """Return a name cut to a number of narrow letters; wide ones count twice."""
    shown = make_line(name, room)
    while sum(2 if east_asian_width(letter) in "WF" else 1 for letter in shown) > room:
        shown = f"{shown.rstrip('…')[:-1]}…"
    return shown


def _reused(step: Step) -> Html | None:
    others = [one.provenance for one in step.observations if one.provenance != "live"]
    return tag("text", others[0], y="43", class_="aside-name") if others else None


def _say(place: Place, step: Step, branch: Branch | None, errors: list[str], goal: str) -> str:
    """Return what a node is, for those who hear the page and those who point at it."""
    calls = ", ".join(make_line(call.name, 64) for call in step.calls[:4]) or "no call"
    others = dict.fromkeys(one.provenance for one in step.observations if one.provenance != "live")
    parts = [
        f"Step {place.position + 1}: {calls}",
        _WORDS.get(step.status, step.status),
        *errors[:3],
        *others,
        "after the task" if place.parent is None else f"after step {place.parent + 1}",
        str(branch) if branch else "",
        f"on the {goal}" if place.on_path else "",
    ]
    return ", ".join(part for part in parts if part)


def _legend(layout: Layout, trajectory: Trajectory) -> Html:
    steps = [trajectory.steps[place.position] for place in layout.places]
    statuses = {step.status for step in steps}
    marks: list[Child] = [
        _mark(_icon(status), words) for status, words in _WORDS.items() if status in statuses
    ]
    if any(observation.failed for step in steps for observation in step.observations):
        flag = _picture(
            tag("path", d="M-6-6h12v12h-12z", class_="flag"), tag("text", "!", y="4", class_="bang")
        )
        marks.append(_mark(flag, "an error came back"))
    if any(place.on_path for place in layout.places):
        line = _picture(tag("path", d="M-17 0H17", class_="edge on"))
        marks.append(_mark(line, _goal(trajectory)))
    return tag("ul", *marks, class_="legend", aria_label="Marks")


def _goal(trajectory: Trajectory) -> str:
    return "way to the answer" if trajectory.status == "answered" else "way to where it ended"


def _mark(picture: Html, words: str) -> Html:
    return tag("li", picture, words)


def _icon(status: str) -> Html:
    ring = tag("path", d=_RING, class_="ring") if status == "answered" else None
    return _picture(
        tag("g", join([ring, tag("path", d=_SHAPES[status], class_="shape")]), class_=f"node {status} key")
    )


def _picture(*shapes: Html) -> Html:
    return tag("svg", *shapes, viewBox="-18 -18 36 36", width="20", height="20", aria_hidden="true")


def _left_out(layout: Layout) -> Html | None:
    if not layout.left_out:
        return None
    steps = count(layout.left_out, "step")
    return tag("p", f"{steps} of this tree not drawn; the list below has them.", class_="cut")
