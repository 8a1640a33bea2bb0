"""Filters above a list: they work where scripts run, and are not there where none do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolhaft.report.markup import Child, Html, tag
from toolhaft.report.visible import make_line

_MOST = 300
"""Values that one choice offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing to filter by.

    Attributes:
        name: ``kind``, ``tag``, ``arm`` or ``status``: rows carry it as ``data-NAME``.
        label: What is chosen, for example "Failure kind".
        anything: What stands there while nothing is chosen.
        values: What can be chosen; rows name them by their number, for the texts are not ours.
    """

    name: str
    label: str
    anything: str
    values: tuple[str, ...]

    def numbers(self, found: Iterable[str]) -> str:
        """Return the numbers of the values that a row has, as its attribute holds them."""
        known = {value: number for number, value in enumerate(self.values)}
        return " ".join(str(known[value]) for value in dict.fromkeys(found) if value in known)


def choice(name: str, label: str, anything: str, found: Iterable[str]) -> Choice:
    """Return a choice among the values that occur, each once, in their order."""
    values = tuple(value for value in dict.fromkeys(found) if value)[:_MOST]
    return Choice(name=name, label=label, anything=anything, values=values)


def filter_html(choices: Sequence[Choice], noun: str, total: int, *, differs: bool = False) -> Html:
    """Return the search box and a choice for whatever has more than one value.

    Args:
        choices: What there is to filter by.
        noun: What a row is, in the plural.
        total: Rows that there are.
        differs: Whether to offer those on which the arms differ.
    """
    words = tag("input", type="search", id="filter", placeholder="Filter by words", autocomplete="off")
    offered: list[Child] = [_select(one) for one in choices if len(one.values) > 1]
    if differs:
        box = tag("input", type="checkbox", id="differs")
        offered.append(tag("label", box, " where arms differ", class_="check"))
    return tag(
        "div",
        tag("label", tag("span", f"Filter the {noun}", class_="aside"), words, class_="words"),
        *offered,
        tag("output", f"{total:,} {noun}", id="shown", for_="filter", data_noun=noun),
        class_="filter script",
        role="search",
    )


def _select(one: Choice) -> Html:
    options = [tag("option", one.anything, value="")]
    options += [
        tag("option", make_line(value, 60).replace("_", " "), value=str(number))
        for number, value in enumerate(one.values)
    ]
    return tag(
        "label",
        tag("span", one.label, class_="aside"),
        tag("select", *options, data_choice=one.name),
    )
