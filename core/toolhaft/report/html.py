"""The static HTML report: one file that opens from disk and asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from toolhaft.report.article import LARGEST, article_html
from toolhaft.report.cleaning import clean_record, clean_text
from toolhaft.report.markup import Html, join, tag
from toolhaft.report.overview import notes_html, overview_html, tasks_html
from toolhaft.report.visible import make_line
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import Score, Trajectory

_ALL = 25_000_000
"""Bytes of all articles of a report together."""
_LISTED = 5_000
_NOTHING: Mapping[str, Sequence[Score]] = {}
_NO_NOTES: Mapping[str, str] = {}


def render_html(
    trajectories: Sequence[Trajectory],
    *,
    scores: Mapping[str, Sequence[Score]] = _NOTHING,
    title: str = "Toolhaft run",
    notes: Mapping[str, str] = _NO_NOTES,
    artifacts: ArtifactStore | None = None,
    redact: Callable[[str], str] | None = None,
) -> str:
    """Return one self-contained HTML document; everything but filters and switches works without scripts.

    Nothing in it is fetched, and nothing that came from outside can run: text is escaped where it is
    put in, and the document's own policy allows no script and no style but its own, by their hashes.

    Args:
        trajectories: What is shown, in this order; the first 5,000 are listed. Each takes at most about
            3 MB, and all together about 25 MB: texts are cut shorter, with a note, where they would take
            more. What does not fit even so is listed without its steps.
        scores: Scores by the id of the trajectory.
        title: Heading of the document.
        notes: Summaries of what was imported, by service.
        artifacts: Where pictures are; small PNG, JPEG, GIF and WebP files are put into the document.
        redact: Removes secrets from a text; applied to every text.
    """
    return render_cleaned(
        [clean_record(trajectory, redact) for trajectory in trajectories],
        scores={
            clean_text(name, redact): [clean_record(score, redact) for score in found]
            for name, found in scores.items()
        },
        title=clean_text(title, redact),
        notes={clean_text(name, redact): clean_text(note, redact) for name, note in notes.items()},
        artifacts=artifacts,
    )


def render_cleaned(
    trajectories: Sequence[Trajectory],
    *,
    scores: Mapping[str, Sequence[Score]],
    title: str,
    notes: Mapping[str, str],
    artifacts: ArtifactStore | None,
) -> str:
    """Return what `render_html` does, of records that were redacted and cleaned before."""
    shown = trajectories[:_LISTED]
    articles = _articles(shown, scores, artifacts)
    if len(shown) == 1:
        content = [notes_html(notes), tag("div", *articles, id="task-1")]
    else:
        content = [overview_html(shown, scores), notes_html(notes), tasks_html(shown, scores, articles)]
    below = f"{len(trajectories):,} {'trajectory' if len(trajectories) == 1 else 'trajectories'}"
    return document_html(title, tag("main", *content, id="main"), below)


def _articles(
    trajectories: Sequence[Trajectory],
    scores: Mapping[str, Sequence[Score]],
    artifacts: ArtifactStore | None,
) -> list[Html]:
    """Return as many articles as there is room for; where it gets tight, the longest are cut shorter."""

    def write(number: int, largest: int) -> Html:
        trajectory = trajectories[number]
        return article_html(
            trajectory,
            scores.get(trajectory.id, ()),
            prefix=f"task-{number + 1}",
            alone=len(trajectories) == 1,
            artifacts=artifacts,
            largest=largest,
        )

    found = [write(number, LARGEST) for number in range(len(trajectories))]
    cap = _fair_share([len(article.code) for article in found])
    kept: list[Html] = []
    room = _ALL
    for number, article in enumerate(found):
        if room <= 0:
            break
        kept.append(article if len(article.code) <= cap else write(number, cap))
        room -= len(kept[-1].code)
    return kept


def _fair_share(sizes: Sequence[int]) -> int:
    """Return the size to which articles are cut so that all of them fit together."""
    room = _ALL
    for number, size in enumerate(sorted(sizes)):
        if size * (len(sizes) - number) > room:
            return room // (len(sizes) - number)
        room -= size
    return LARGEST


def document_html(title: str, main: Html, below: str, *, folds: bool = True) -> str:
    """Return a whole document: its policy, the style sheet, the script, and what it shows.

    Args:
        title: Heading.
        main: The ``main`` element, with the id ``main``.
        below: What the last line says of the content.
        folds: Whether there is something to fold and unfold.
    """
    from toolhaft import __version__

    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    head = join(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", make_line(title, 120)),
            Html(f"<style>{style}</style>"),
        ],
        "\n",
    )
    buttons = tag(
        "div",
        tag("button", "Open all", type="button", id="unfold") if folds else None,
        tag("button", "Dark", type="button", id="theme", aria_pressed="false"),
        class_="buttons script",
    )
    masthead = tag(
        "header",
        tag("div", tag("p", "Toolhaft", class_="brand"), tag("h1", make_line(title, 120), dir="auto")),
        buttons,
        class_="masthead",
    )
    foot = tag(
        "footer",
        f"Toolhaft {__version__} · {below} · this file asks nothing of the network",
        class_="colophon",
    )
    skip = tag("a", "Skip to the content", href="#main", class_="skip")
    body = tag("body", skip, masthead, main, foot, Html(f"<script>{script}</script>"))
    document = tag("html", tag("head", head), "\n", body, lang="en")
    return f"<!doctype html>\n{document.code}\n"


@cache
def _asset(name: str) -> str:
    """Return a file of this package's own; it goes into the document as it is."""
    return (files("toolhaft.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
