"""The model card: what a retriever was made from and how, with figures and limits."""

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
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.trainer import Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a model card says.

    Attributes:
        base: Name of the encoder that was trained; ``base_hash`` is the digest of its files.
        preset: What the settings began with.
        trained: What training came to.
        queries: Queries learned, by who made them; ``held_out`` are measured instead, ``tested`` too.
        tools: How many tools there are, of how many services.
        left_out: What was not taken, by reason.
        hashes: SHA-256 of each file read; ``digest`` is that of all that is learned.
        parameters: Trained and all.
        test: NDCG@5 on the queries of the test before and after; None if there are none.
        teacher: Name of what was distilled, or empty.
        log: Lines of the log.
        versions: Of the libraries.
    """

    base: str
    base_hash: str
    preset: str
    settings: RetrieverSettings
    trained: Trained
    queries: Mapping[str, int]
    held_out: int
    tested: int
    tools: tuple[int, int]
    left_out: Mapping[str, int]
    hashes: Mapping[str, str]
    digest: str
    parameters: tuple[int, int]
    precision: str
    device: str
    test: tuple[float, float] | None = None
    teacher: str = ""
    log: Sequence[Mapping[str, Any]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def write_card(facts: CardFacts) -> str:
    """Return the card as Markdown with the front matter that model hubs read."""
    settings = [("preset", facts.preset), *list_settings(facts.settings.to_json())]
    files = {
        f"base encoder {facts.base}": facts.base_hash,
        **facts.hashes,
        "all that is learned": facts.digest,
    }
    return render_card(
        {
            "library_name": "sentence-transformers",
            "pipeline_tag": "sentence-similarity",
            "tags": "[tool-retrieval, toolhaft]",
        },
        f"{facts.base}, trained to find tools",
        {
            "": _OPENING,
            "Data": render_table(("what", "number"), _data(facts)),
            "Figures": render_table(("figure", "value"), _figures(facts)),
            "Settings": render_table(("setting", "value"), settings),
            "What it was made from": list_sources(files, facts.versions),
            "Limits": f"{_CHOSEN if facts.held_out else _UNCHOSEN}\n{_LIMITS}",
        },
    )


def _data(facts: CardFacts) -> list[Row]:
    rows = [("tools", f"{facts.tools[0]:,}"), ("services they belong to", f"{facts.tools[1]:,}")]
    said = {
        "given": "queries from files",
        "trajectory": "queries from runs",
        "synthetic": "synthetic queries, made from the tools' own documents",
    }
    rows += [(said.get(name, name), f"{number:,}") for name, number in facts.queries.items()]
    rows.append(("queries held out, of services that no learned query needs", f"{facts.held_out:,}"))
    rows.append(("queries of the test", f"{facts.tested:,}"))
    rows += [(f"left out: {name}", f"{number:,}") for name, number in facts.left_out.items()]
    return rows


def _figures(facts: CardFacts) -> list[Row]:
    trained = facts.trained
    held = [line["ndcg@5"] for line in facts.log if "ndcg@5" in line]
    figures = [
        *list_figures(
            facts.log,
            steps=f"{trained.steps:,} of {trained.planned:,}",
            tokens=trained.tokens,
            seconds=trained.seconds,
            parameters=facts.parameters,
        ),
        ("computed on", f"{facts.device}, {facts.precision}"),
    ]
    if held:
        figures.append(("NDCG@5 on queries held out, before training", f"{100 * held[0]:.2f}"))
        best = f"{100 * trained.best:.2f} (step {trained.best_step:,})"
        figures.append(("the same, of these weights (chosen by it)", best))
    else:
        figures.append(("NDCG@5 on queries held out", "nothing was held out"))
    if facts.test:
        before, after = (f"{100 * figure:.2f}" for figure in facts.test)
        figures += [("NDCG@5 on the test, before training", before), ("the same, of these weights", after)]
    if facts.teacher:
        figures.append(("distilled from", facts.teacher))
    return figures


_OPENING = """\
Trained with `toolhaft train retriever`; it maps instructions and documents of tools to vectors
of length 1, and the cosine says how well they fit. The document of a tool is the passage that
the retriever `dense` of toolhaft makes of it."""
_CHOSEN = """\
- The weights were chosen by the queries held out: their figure is a little too good. Measure on
  queries of your own: `toolhaft search eval`."""
_UNCHOSEN = """\
- Nothing was held out: the weights are those of the last step, whatever they gained. Measure on
  queries of your own: `toolhaft search eval`."""
_LIMITS = """\
- It finds tools like those it learned from. Nothing is known of languages or fields unlike them.
- Synthetic queries say what the documents say: they teach the words of a catalog, not how people ask."""
