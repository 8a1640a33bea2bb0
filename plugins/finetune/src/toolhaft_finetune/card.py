"""The model card: what a trained model was made from and how, with figures and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.training.card import (
    Row,
    list_figures,
    list_settings,
    list_sources,
    render_card,
    render_table,
)
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
    weight = facts.settings.prompt_weight
    rest = f", and {weight:g} on the rest" if weight else ""
    files = {f"base model {facts.base}": facts.base_hash, **facts.hashes}
    figures = render_table(("figure", "value"), _figures(facts))
    settings = list_settings(facts.settings.to_json())
    return render_card(
        {"library_name": "transformers", "tags": "[tool-calling, toolhaft]"},
        f"{facts.base}, fine-tuned on tool calls",
        {
            "": f"Trained with `toolhaft train sft` ({facts.settings.method}); loss on the assistant's turns "
            f"only{rest}.",
            "Rows, by what made them": render_table(("made by", "rows"), rows),
            "Figures": f"{figures}\n\n![Loss by step](loss.svg)",
            "Settings": render_table(("setting", "value"), settings),
            "What it was made from": list_sources(files, facts.versions),
            "Limits": _LIMITS,
        },
    )


def _figures(facts: CardFacts) -> list[Row]:
    trained = facts.trained
    figures = list_figures(
        facts.log,
        steps=f"{trained.steps:,}",
        tokens=trained.tokens,
        seconds=trained.seconds,
        parameters=facts.parameters,
    )
    if held := [line["eval_loss"] for line in facts.log if "eval_loss" in line]:
        figures.append(("loss on held-out rows, before and after", f"{held[0]:.4f} and {held[-1]:.4f}"))
    return figures


_LIMITS = (
    "- The loss says how likely the rows are, not how well tasks are done: see `toolhaft eval`.\n"
    "- It calls tools as its rows did. Nothing is known of tools, languages or tasks unlike them.\n"
    "- Mistakes of what made the rows are learned too; rows of a heuristic, a replay or a simulator teach\n"
    "  what those do.\n"
    "- What it calls must be checked by a policy before it is done, as with any model."
)
