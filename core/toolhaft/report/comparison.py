"""A comparison of arms as HTML: what each passed, how they differ, and on which tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolhaft.report.cleaning import clean_text
from toolhaft.report.html import document_html
from toolhaft.report.markup import Html, dump, tag
from toolhaft.report.store import Records
from toolhaft.types.comparison import Comparison


def comparison_html(comparison: Comparison) -> Html:
    """Return the figures of a comparison."""
    rows = [tag("li", f"{arm.name}: {arm.passes.passed} of {arm.passes.total}") for arm in comparison.arms]
    return tag("section", tag("ol", *rows))


def render_comparison(
    comparison: Comparison,
    *,
    arms: Mapping[str, Records],
    folders: Mapping[str, str],
    settings: Mapping[str, Any],
    redact: Callable[[str], str] | None = None,
) -> str:
    """Return one self-contained HTML document."""
    runs = [
        tag("li", tag("a", clean_text(name, redact), href=f"{folders[name]}/report.html"))
        for name in arms
        if name in folders
    ]
    main = tag("main", comparison_html(comparison), tag("ol", *runs), tag("pre", dump(settings)), id="main")
    return document_html(clean_text(comparison.title, redact), main, f"{len(arms)} arms")
