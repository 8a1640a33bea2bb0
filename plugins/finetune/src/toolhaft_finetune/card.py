"""The model card: what a trained model was made from and how, with figures and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.training import Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a model card says.

    Attributes:
        base: Name of the model that was trained; ``base_hash`` is that of its files.
        base_hash: SHA-256.
        settings: How it was trained.
        trained: What training came to.
        rows: Rows by what made them; ``held_out`` is how many of them were measured and not learned.
        held_out: See ``rows``.
        dropped: Rows left out, by reason.
        hashes: SHA-256 of each data file.
        parameters: Trained and all.
        log: Lines of the log.
        versions: Of the libraries.
    """

    base: str
    base_hash: str
    settings: TrainingSettings
    trained: Trained
    rows: Mapping[str, int]
    held_out: int
    dropped: Mapping[str, int]
    hashes: Mapping[str, str]
    parameters: tuple[int, int]
    log: Sequence[Mapping[str, Any]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def write_card(facts: CardFacts) -> str:
    """Return the card as Markdown with the front matter that model hubs read."""
    rows = [(name, f"{number:,}") for name, number in facts.rows.items()]
    rows.append(("of these held out", f"{facts.held_out:,}"))
    rows += [(f"left out: {name}", f"{number:,}") for name, number in facts.dropped.items()]
    settings = [(name, _shown(value)) for name, value in facts.settings.to_json().items()]
    return "\n".join(
        [
            "---",
            "library_name: transformers",
            "tags: [tool-calling, toolhaft]",
            "---",
            "",
            f"# {facts.base}, fine-tuned on tool calls",
            "",
            f"Trained with `toolhaft train sft` ({facts.settings.method}); loss on the assistant's turns only"
            + (f", and {facts.settings.prompt_weight:g} on the rest" if facts.settings.prompt_weight else "")
            + ".",
            "",
            "## Rows, by what made them",
            "",
            _table(("made by", "rows"), rows),
            "",
            "## Figures",
            "",
            _table(("figure", "value"), _figures(facts)),
            "",
            "![Loss by step](loss.svg)",
            "",
            "## Settings",
            "",
            _table(("setting", "value"), settings),
            "",
            "## What it was made from",
            "",
            _table(
                ("file", "SHA-256"), [(f"base model {facts.base}", facts.base_hash), *facts.hashes.items()]
            ),
            "",
            ", ".join(f"{name} {version}" for name, version in facts.versions.items()),
            "",
            "## Limits",
            "",
            _LIMITS,
            "",
        ]
    )


def _figures(facts: CardFacts) -> list[tuple[str, str]]:
    trained = facts.trained
    share = facts.parameters[0] / max(1, facts.parameters[1])
    losses = [line["loss"] for line in facts.log if "loss" in line]
    held = [line["eval_loss"] for line in facts.log if "eval_loss" in line]
    tail = losses[-max(1, len(losses) // 10) :]
    figures = [
        ("steps", f"{trained.steps:,}"),
        ("tokens seen", f"{trained.tokens:,}"),
        ("seconds of training", f"{trained.seconds:,.0f}"),
        ("parameters trained", f"{facts.parameters[0]:,} of {facts.parameters[1]:,} ({share:.1%})"),
    ]
    if losses:
        figures.append(("training loss, first step", f"{losses[0]:.4f}"))
        figures.append(("training loss, mean of the last tenth", f"{sum(tail) / len(tail):.4f}"))
    if held:
        figures.append(("loss on held-out rows, before and after", f"{held[0]:.4f} and {held[-1]:.4f}"))
    return figures


_LIMITS = (
    "- The loss says how likely the rows are, not how well tasks are done: see `toolhaft eval`.\n"
    "- It calls tools as its rows did. Nothing is known of tools, languages or tasks unlike them.\n"
    "- Mistakes of what made the rows are learned too; rows of a heuristic, a replay or a simulator teach\n"
    "  what those do.\n"
    "- What it calls must be checked by a policy before it is done, as with any model."
)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(said: str) -> str:
    return " ".join(said.replace("|", "\\|").replace("<", "&lt;").split())


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
