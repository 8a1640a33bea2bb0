"""A comparison of arms as HTML: what each passed, how they differ, and on which tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from toolhaft.evaluators.reading import FLOOR, verdict
from toolhaft.report.cleaning import clean_json, clean_text
from toolhaft.report.html import document_html
from toolhaft.report.markup import Child, Html, count, plain, tag
from toolhaft.report.matrix import matrix_html
from toolhaft.report.observation import value_html
from toolhaft.report.outcomes import Trial, kind_class, kind_of, kind_words, kinds_in_order
from toolhaft.report.pairings import pairings_html, say_pairings
from toolhaft.report.plots import parts_plot, share_plot
from toolhaft.report.store import REPORT, Records
from toolhaft.report.visible import make_line
from toolhaft.types import from_value, to_value
from toolhaft.types.comparison import ArmResult, Comparison, Proportion

_ARMS = 50
_TAGS = 60
_NOTES = 50
_PARTS = 12
_OTHER_KINDS = 6
"""Colours of the style sheet for outcomes that evaluators name."""
_NOTHING: Sequence[Trial] = ()


def comparison_html(comparison: Comparison, trials: Sequence[Trial] = _NOTHING) -> Html:
    """Return a comparison: in words, as plots with intervals, by tag, and task by task.

    Args:
        comparison: A cleaned record.
        trials: The rollouts behind it, for links, tags and failure kinds of single tasks.
    """
    arms = comparison.arms[:_ARMS]
    active = [arm for arm in arms if arm.name != FLOOR]
    return tag(
        "div",
        _headline(comparison),
        _notes(comparison),
        _passes(arms),
        pairings_html(comparison.pairings),
        _failures(active),
        _parts(arms),
        _means(active),
        _by_tag(active),
        matrix_html(comparison, trials),
        class_="comparison",
    )


def render_comparison(
    comparison: Comparison,
    *,
    arms: Mapping[str, Records],
    folders: Mapping[str, str],
    settings: Mapping[str, Any],
    redact: Callable[[str], str] | None = None,
) -> str:
    """Return one self-contained HTML document, which links to the reports of the arms beside it.

    Args:
        comparison: What is shown.
        arms: Trajectories and scores of each arm, by its name.
        folders: Where the run of each arm lies, relative to this document; an arm that is not named gets
            no links.
        settings: How it was run, as JSON values.
        redact: Removes secrets from a text; applied to every text.
    """
    cleaned = from_value(Comparison, clean_json(to_value(comparison), redact))
    trials = _trials(arms, folders, redact)
    runs = [
        tag(
            "li",
            tag("a", make_line(clean_text(name, redact), 60), href=_address(folders[name])),
            " ",
            tag("span", count(len(trajectories), "trajectory").replace("ys", "ies"), class_="hint"),
        )
        for name, (trajectories, _) in arms.items()
        if name in folders
    ]
    main = tag(
        "main",
        comparison_html(cleaned, trials),
        tag("section", tag("h2", "Reports of the arms"), tag("ul", *runs, class_="runs")) if runs else None,
        _settings(clean_json(dict(settings), redact)),
        id="main",
    )
    below = f"{count(len(cleaned.arms), 'arm')}, {count(len(cleaned.outcomes), 'task')}"
    return document_html(cleaned.title, main, f"{below}, {count(len(trials), 'rollout')}", folds=False)


def _trials(
    arms: Mapping[str, Records], folders: Mapping[str, str], redact: Callable[[str], str] | None
) -> list[Trial]:
    return [
        Trial(
            task=clean_text(trajectory.task.id, redact),
            arm=clean_text(name, redact),
            kind=kind_of(trajectory, scores.get(trajectory.id, ())),
            href=_address(folders[name], number) if name in folders else "",
            instruction=clean_text(trajectory.task.instruction[:2_000], redact),
            tags=tuple(clean_text(found, redact) for found in trajectory.task.tags),
        )
        for name, (trajectories, scores) in arms.items()
        for number, trajectory in enumerate(trajectories, start=1)
    ]


def _address(folder: str, number: int | None = None) -> str:
    # "./" keeps a name with a colon from being read as a scheme.
    place = f"./{quote(folder)}/{REPORT}"
    return place if number is None else f"{place}#task-{number}"


def _headline(comparison: Comparison) -> Html | None:
    said = [tag("p", sentence) for sentence in say_pairings(comparison.pairings)]
    return tag("section", tag("h2", "In short", class_="aside"), *said, class_="headline") if said else None


def _share_row(name: Child, share: Proportion) -> Html:
    """Return a name, a share with its interval as a plot, and the same as text."""
    text = "none tried"
    interval = None
    if share.total:
        text = f"{share.passed:,} of {share.total:,}"
        span = f"{100 * share.low:.1f} to {100 * share.high:.1f}"
        interval = tag("span", f"{100 * share.rate:.1f} %", tag("small", f" {span}"), class_="rate")
    return tag(
        "li",
        tag("span", name, class_="bar-name"),
        share_plot(share.rate, share.low, share.high) if share.total else tag("span"),
        tag("span", interval, " ", tag("span", text, class_="of"), class_="bar-value"),
    )


def _passes(arms: Sequence[ArmResult]) -> Html:
    rows = [_share_row(_arm_name(arm), arm.passes) for arm in arms]
    return tag(
        "section",
        tag("h2", "Pass rate"),
        tag("p", "The dot is the share that passed, the line its 95 % interval.", class_="hint"),
        tag("ol", *rows, class_="shares"),
        _axis("0 %", "50 %", "100 %"),
    )


def _arm_name(arm: ArmResult) -> Html:
    return tag(
        "span",
        tag("strong", make_line(arm.name, 60)),
        tag("small", "makes no call" if arm.name == FLOOR else make_line(arm.model, 60)),
        class_="arm",
    )


def _axis(*labels: str) -> Html:
    return tag("div", *[tag("span", label) for label in labels], class_="axis", aria_hidden="true")


def _failures(arms: Sequence[ArmResult]) -> Html | None:
    if not any(arm.failures for arm in arms):
        return None
    classes = _classes(arms)
    rows = []
    for arm in arms:
        kinds = kinds_in_order(arm.failures)
        legend = [
            tag("li", tag("span", class_=f"swatch {classes[kind]}"), f"{kind_words(make_line(kind, 40))} ",
                tag("b", f"{arm.failures[kind]:,}"))
            for kind in kinds
        ]  # fmt: skip
        rows.append(
            tag(
                "li",
                tag("strong", make_line(arm.name, 60)),
                parts_plot([(classes[kind], arm.failures[kind]) for kind in kinds]),
                tag("ul", *legend, class_="legend"),
            )
        )
    return tag("section", tag("h2", "How rollouts ended"), tag("ol", *rows, class_="kinds"))


def _classes(arms: Sequence[ArmResult]) -> dict[str, str]:
    """Return the class of each kind; those that evaluators name get the colours that are left, in order."""
    kinds = list(dict.fromkeys(kind for arm in arms for kind in arm.failures))
    others = [kind for kind in sorted(kinds) if kind_class(kind) == "kind-other"]
    found = {kind: kind_class(kind) for kind in kinds}
    return found | {kind: f"kind-other-{number % _OTHER_KINDS + 1}" for number, kind in enumerate(others)}


def _parts(arms: Sequence[ArmResult]) -> Html | None:
    """Return the component figures of the score that decides, if it has any."""
    names = list(dict.fromkeys(name for arm in arms for name in arm.parts))[:_PARTS]
    if not names:
        return None
    rows = [
        tag(
            "tr",
            tag("th", make_line(arm.name, 60), scope="row"),
            *[tag("td", _chance(arm.parts.get(name)), data_name=make_line(name, 40)) for name in names],
        )
        for arm in arms
    ]
    heads = ["Arm", *(make_line(name, 40).replace("_", " ").capitalize() for name in names)]
    return tag(
        "section",
        tag("h2", "Parts of the score"),
        tag("p", "Means over the rollouts that have the part.", class_="hint"),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Means of the parts of the score", class_="aside"),
                tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])),
                tag("tbody", *rows),
                class_="means cards",
            ),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label="Parts of the score",
        ),
    )


def _means(arms: Sequence[ArmResult]) -> Html | None:
    if not any(arm.measured or arm.pass_all for arm in arms):
        return None  # answers that were read from a file: nothing but zeros would stand there
    most = max((k for arm in arms for k in (*arm.pass_all, *arm.pass_any)), default=1)
    heads = ["Arm", "Planner", "Model calls", "Tool calls", "Steps", "Tokens", "Cost", "Time"]
    if most > 1:
        heads += [f"All of {most}", f"Any of {most}"]
    rows = []
    for arm in arms:
        cells = [
            make_line(arm.planner, 60),
            f"{arm.model_calls:,.1f}",
            f"{arm.tool_calls:,.1f}",
            f"{arm.steps:,.1f}",
            f"{arm.tokens:,.0f}" if arm.tokens else "–",
            f"{arm.cost:.4g}" if arm.cost else "–",
            f"{arm.seconds:,.2f} s" if arm.seconds else "–",
        ]
        if most > 1:
            cells += [_chance(arm.pass_all.get(most)), _chance(arm.pass_any.get(most))]
        rows.append(
            tag(
                "tr",
                tag("th", make_line(arm.name, 60), scope="row"),
                *[tag("td", cell, data_name=head) for head, cell in zip(heads[1:], cells, strict=True)],
            )
        )
    trials = f" The last two columns: tasks passed in all, or any, of {most} trials." if most > 1 else ""
    return tag(
        "section",
        tag("h2", "What it took"),
        tag("p", f"Means for one rollout.{trials}", class_="hint"),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Means for one rollout", class_="aside"),
                tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])),
                tag("tbody", *rows),
                class_="means cards",
            ),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label="What it took",
        ),
    )


def _chance(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _by_tag(arms: Sequence[ArmResult]) -> Html | None:
    tags = list(dict.fromkeys(name for arm in arms for name in arm.by_tag))
    if not tags:
        return None
    rows = [
        tag(
            "li",
            tag("h3", make_line(name, 60).replace("_", " ")),
            tag(
                "ol",
                *[
                    _share_row(make_line(arm.name, 60), arm.by_tag[name])
                    for arm in arms
                    if name in arm.by_tag
                ],
                class_="shares",
            ),
        )
        for name in tags[:_TAGS]
    ]
    left_out = len(tags) - len(rows)
    return tag(
        "section",
        tag("h2", "By tag"),
        tag("ol", *rows, class_="by-tag"),
        tag("p", f"… {count(left_out, 'more tag')} not shown", class_="cut") if left_out else None,
    )


def _notes(comparison: Comparison) -> Html | None:
    """Return the notes, without those that say again what stands above and beside the differences."""
    verdicts = {verdict(pairing) for pairing in comparison.pairings}
    notes = [note for note in comparison.notes if note not in verdicts]
    if not notes:
        return None
    rows = [tag("li", plain(note, 1_000), dir="auto") for note in notes[:_NOTES]]
    return tag("section", tag("h2", "To read these figures"), tag("ul", *rows, class_="remarks"))


def _settings(settings: Mapping[str, Any]) -> Html | None:
    if not settings:
        return None
    return tag(
        "details",
        tag("summary", tag("h2", "Record"), tag("span", "how it was run", class_="hint")),
        value_html(settings, 20_000),
        class_="record",
    )
