"""Paired differences between arms: drawn about zero, and said in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from toolhaft.report.markup import Html, badge, count, tag
from toolhaft.report.plots import difference_plot, parts_plot, scale_of
from toolhaft.report.visible import make_line
from toolhaft.types.comparison import Pairing

_MOST = 45
_LEVEL = 0.05
_VERDICTS = {
    "few": ("too few tasks to say", "quiet", ""),
    "none": ("no difference shown", "quiet", "The interval includes 0"),
    "shown": ("difference shown", "good", "The interval leaves out 0, and the exact test confirms it"),
    "unsure": ("not sure", "warn", "The interval leaves out 0, but the exact test does not confirm it"),
}


def pairings_html(pairings: Sequence[Pairing]) -> Html | None:
    """Return each pair of arms: its difference with the interval, and what the tests say."""
    if not pairings:
        return None
    shown = pairings[:_MOST]
    end = scale_of([value for one in shown for value in (one.difference, one.low, one.high)])
    left_out = len(pairings) - len(shown)
    return tag(
        "section",
        tag("h2", "Differences"),
        tag(
            "p",
            "Each task counts once, and is compared with itself. An interval that crosses the line "
            "at zero shows no difference.",
            class_="hint",
        ),
        tag("ol", *[_pairing(one, end, len(pairings) > 1) for one in shown], class_="pairings"),
        tag("p", f"… {count(left_out, 'more pair')} not shown", class_="cut") if left_out else None,
    )


def say_pairings(pairings: Sequence[Pairing]) -> list[str]:
    """Return what a comparison found, in a few sentences: differences first, if any are shown."""
    shown = [say_pairing(pairing) for pairing in pairings if verdict_of(pairing) in ("shown", "unsure")]
    if shown or len(pairings) == 1:
        return (shown or [say_pairing(pairings[0])])[:4]
    told = [pairing for pairing in pairings if pairing.low is not None]
    return [f"No difference shown between any two of the arms, {len(told)} pairs."] if told else []


def verdict_of(pairing: Pairing) -> str:
    """Return ``few`` tasks, ``shown``, ``none`` shown, or ``unsure``: interval and test disagree."""
    if pairing.low is None or pairing.high is None:
        return "few"
    if not pairing.shown:
        return "none"
    p = pairing.adjusted_p if pairing.adjusted_p is not None else pairing.mcnemar_p
    return "unsure" if p is not None and p > _LEVEL else "shown"


def say_pairing(pairing: Pairing) -> str:
    """Return what a pairing found as one sentence."""
    a, b = make_line(pairing.a, 60), make_line(pairing.b, 60)
    tasks = count(pairing.tasks, "task")
    if pairing.low is None or pairing.high is None:
        return f"{tasks} {'is' if pairing.tasks == 1 else 'are'} too few to tell {b} from {a}."
    if not pairing.shown:
        return (
            f"No difference shown between {b} and {a}: {_signed(pairing.difference)} points, "
            f"95 % interval {_signed(pairing.low)} to {_signed(pairing.high)}, over {tasks}."
        )
    more = "more" if pairing.difference > 0 else "fewer"
    doubt = "; the exact test does not confirm it" if verdict_of(pairing) == "unsure" else ""
    low, high = sorted((abs(pairing.low), abs(pairing.high)))
    return (
        f"{b} passes {100 * abs(pairing.difference):.1f} points {more} than {a}, "
        f"95 % interval {100 * low:.1f} to {100 * high:.1f}, over {tasks}{doubt}."
    )


def _pairing(pairing: Pairing, end: float, several: bool) -> Html:
    a, b = make_line(pairing.a, 60), make_line(pairing.b, 60)
    verdict = verdict_of(pairing)
    return tag(
        "li",
        tag("h3", b, tag("small", f" against {a} "), badge(*_VERDICTS[verdict])),
        tag("p", _say_difference(pairing)),
        difference_plot(pairing.difference, pairing.low, pairing.high, end),
        tag(
            "div",
            tag("span", f"{_signed(-end, 0)} {a} better"),
            tag("span", "0"),
            tag("span", f"{b} better {_signed(end, 0)}"),
            class_="axis",
            aria_hidden="true",
        ),
        parts_plot([("win", pairing.wins), ("tie", pairing.ties), ("loss", pairing.losses)]),
        tag(
            "ul",
            _part("win", f"{b} better", pairing.wins),
            _part("tie", "same", pairing.ties),
            _part("loss", f"{a} better", pairing.losses),
            class_="legend",
        ),
        tag("ul", *[tag("li", fact) for fact in _tests(pairing, several)], class_="tests"),
        class_=f"pairing {verdict}",
    )


def _say_difference(pairing: Pairing) -> str:
    said = f"{_signed(pairing.difference)} points"
    if pairing.low is None or pairing.high is None:
        return f"{said}, over too few tasks for an interval ({pairing.tasks:,})"
    tasks = count(pairing.tasks, "task")
    return f"{said}, 95 % interval {_signed(pairing.low)} to {_signed(pairing.high)}, over {tasks}"


def _part(name: str, words: str, number: int) -> Html:
    return tag("li", tag("span", class_=f"swatch {name}"), f"{words} ", tag("b", f"{number:,}"))


def _tests(pairing: Pairing, several: bool) -> list[str]:
    facts = []
    if pairing.mcnemar_p is not None:
        facts.append(f"McNemar {_p(pairing.mcnemar_p)}")
    if pairing.adjusted_p is not None and several:
        facts.append(f"adjusted for the number of pairs {_p(pairing.adjusted_p)}")
    if pairing.detectable is not None:
        points = f"{100 * pairing.detectable:.1f} points"
        facts.append(f"smallest difference that so many tasks would show: {points} (80 % power)")
    return facts


def _p(value: float) -> str:
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def _signed(share: float, digits: int = 1) -> str:
    points = round(100 * share, digits)
    sign = "−" if points < 0 else "+" if points > 0 else ""
    return f"{sign}{abs(points):.{digits}f}"
