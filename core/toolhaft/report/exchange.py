"""One HTTP exchange as HTML."""

from __future__ import annotations

import json

from toolhaft.report.markup import Html, badge, dump, duration, join, plain, pretty, tag
from toolhaft.report.visible import make_line
from toolhaft.types import Exchange

_HEADERS = 40
_HEADER_CAP = 500
_PRETTY_CAP = 100_000


def exchange_html(exchange: Exchange, cap: int) -> Html:
    """Return an exchange, folded: the first line has method, URL, status and time."""
    summary = tag(
        "summary",
        tag("span", make_line(exchange.method, 20), class_="method"),
        tag("code", make_line(exchange.url, min(600, max(120, cap))), class_="url"),
        tag(
            "span",
            _status(exchange),
            _provenance(exchange),
            tag("span", duration(exchange.seconds), class_="time"),
            class_="marks",
        ),
    )
    return tag(
        "details",
        summary,
        tag("p", make_line(exchange.problem, 2000), class_="problem") if exchange.problem else None,
        _message("Request", exchange.request_headers, exchange.request_body, cap),
        _message("Response", exchange.response_headers, exchange.response_body, cap),
        class_="exchange",
    )


def json_or_text(body: str, cap: int) -> Html:
    """Return a text shortened to ``cap``, indented with its keys marked if it is a JSON object or list."""
    if body[:1] in "{[" and 1 < len(body) <= _PRETTY_CAP:
        try:
            return pretty(dump(json.loads(body)), cap)
        except (ValueError, RecursionError):
            return plain(body, cap)
    return plain(body, cap)


def _status(exchange: Exchange) -> Html:
    if exchange.status == 0:
        return badge("no answer", "bad")
    kind = "bad" if exchange.status >= 400 else "good" if exchange.status < 300 else "quiet"
    return badge(f"{exchange.status}", kind, "HTTP status")


def _provenance(exchange: Exchange) -> Html | None:
    if exchange.provenance == "live":
        return None
    return badge(exchange.provenance, "warn", "The network was not used")


def _message(title: str, headers: tuple[tuple[str, str], ...], body: str, cap: int) -> Html | None:
    if not headers and not body:
        return None
    longest = min(_HEADER_CAP, max(60, cap // 4))
    rows = [
        join([tag("dt", make_line(name, 100)), tag("dd", make_line(value, longest))])
        for name, value in headers[: min(_HEADERS, max(4, cap // 100))]
    ]
    left_out = len(headers) - len(rows)
    return tag(
        "section",
        tag("h6", title),
        tag("dl", *rows, class_="headers") if rows else None,
        tag("p", f"… {left_out} more headers not shown", class_="cut") if left_out else None,
        tag("pre", json_or_text(body, cap), tabindex="0", dir="auto") if body else None,
        class_="message",
    )
