"""The model card: what a model was made from and how, with figures and limits, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = tuple[str, str]


def render_card(front: Mapping[str, str], title: str, parts: Mapping[str, str]) -> str:
    """Return a card with the front matter that model hubs read.

    Args:
        front: Of the front matter, YAML values by name.
        title: Heads the card.
        parts: What stands under each heading, as Markdown; one without a heading comes first.
    """
    lines = ["---", *(f"{name}: {value}" for name, value in front.items()), "---", "", f"# {title}", ""]
    for heading, text in parts.items():
        lines += [f"## {heading}", ""] if heading else []
        lines += [text, ""]
    return "\n".join(lines)


def render_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what could end a cell, or be a tag, is escaped."""
    lines = [titles, ["---"] * len(titles), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def list_settings(settings: Mapping[str, Any]) -> list[Row]:
    """Return the rows of settings, given as JSON values."""
    return [
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in settings.items()
    ]


def list_sources(files: Mapping[str, str], versions: Mapping[str, str]) -> str:
    """Return what a model was made from: each file with its digest, and the versions of libraries."""
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{render_table(('file', 'digest'), files.items())}\n\n{said}"


def list_figures(
    log: Sequence[Mapping[str, Any]],
    *,
    steps: str,
    tokens: int,
    seconds: float,
    parameters: tuple[int, int],
) -> list[Row]:
    """Return the rows about how training went.

    Args:
        log: Its lines.
        steps: How many there were.
        tokens: That were seen.
        seconds: That it took.
        parameters: Trained and all.
    """
    share = parameters[0] / max(1, parameters[1])
    figures = [
        ("steps", steps),
        ("tokens seen", f"{tokens:,}"),
        ("seconds of training", f"{seconds:,.0f}"),
        ("parameters trained", f"{parameters[0]:,} of {parameters[1]:,} ({share:.1%})"),
    ]
    if losses := [line["loss"] for line in log if "loss" in line]:
        tail = losses[-max(1, len(losses) // 10) :]
        figures.append(("training loss, first step", f"{losses[0]:.4f}"))
        figures.append(("training loss, mean of the last tenth", f"{sum(tail) / len(tail):.4f}"))
    return figures


def _cell(said: str) -> str:
    return " ".join(said.replace("|", "\\|").replace("<", "&lt;").split())
