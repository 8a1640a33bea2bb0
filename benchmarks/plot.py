"""Small line plots as SVG text, readable on light and dark ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_COLOURS = ("#888888", "#d9822b", "#2f7fd1", "#3a9a5b")
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 250, 150, 40, 54, 46
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.axis{stroke:#333;stroke-opacity:.35;fill:none}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#ddd}}"
)
Points = Sequence[tuple[float, float, float, float]]


def draw_panels(panels: Mapping[str, Mapping[str, Points]], *, columns: int) -> str:
    """Return an SVG of panels side by side.

    Args:
        panels: Title -> line -> points ``(x, y, low, high)``; y from 0 to 1, the same x in every panel.
        columns: Panels in a row.
    """
    xs = [x for lines in panels.values() for points in lines.values() for x, *_ in points]
    span = min(xs), max(xs)
    rows = -(-len(panels) // columns)
    width = _LEFT + columns * (_WIDTH + _GAP)
    height = _TOP + rows * (_HEIGHT + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Pass rates of the planners">',
        f"<style>{_STYLE}</style>",
        *_legend(list(next(iter(panels.values())))),
    ]
    for number, (title, lines) in enumerate(panels.items()):
        left = _LEFT + (number % columns) * (_WIDTH + _GAP)
        top = _TOP + (number // columns) * (_HEIGHT + _GAP)
        parts.append(f'<g transform="translate({left} {top})">')
        parts += [*_frame(title, span), *_lines(lines, span), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = _LEFT + 110 * number
        parts.append(f'<path d="M{x} 14h22" stroke="{_COLOURS[number]}" stroke-width="2.5"/>')
        parts.append(f'<text x="{x + 28}" y="18">{name}</text>')
    return parts


def _frame(title: str, span: tuple[float, float]) -> list[str]:
    parts = [f'<text x="0" y="-8">{title}</text>', f'<path class="axis" d="M0 0V{_HEIGHT}H{_WIDTH}"/>']
    for share in (0, 0.5, 1):
        y = _y(share)
        parts.append(f'<text x="-6" y="{y + 4:.0f}" text-anchor="end">{share:.0%}</text>')
        parts.append(f'<path class="axis" stroke-dasharray="2 4" d="M0 {y:.1f}H{_WIDTH}"/>')
    for x in (span[0], (span[0] + span[1]) / 2, span[1]):
        parts.append(f'<text x="{_x(x, span):.0f}" y="{_HEIGHT + 15}" text-anchor="middle">{x:.3g}</text>')
    return parts


def _lines(lines: Mapping[str, Points], span: tuple[float, float]) -> list[str]:
    parts = []
    for number, points in enumerate(lines.values()):
        colour = _COLOURS[number]
        upper = [f"{_x(x, span):.1f},{_y(high):.1f}" for x, _, _, high in points]
        lower = [f"{_x(x, span):.1f},{_y(low):.1f}" for x, _, low, _ in reversed(points)]
        middle = " ".join(f"{_x(x, span):.1f},{_y(y):.1f}" for x, y, _, _ in points)
        parts.append(f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" fill-opacity=".18"/>')
        parts.append(f'<polyline points="{middle}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return parts


def _x(value: float, span: tuple[float, float]) -> float:
    return (value - span[0]) / ((span[1] - span[0]) or 1) * _WIDTH


def _y(value: float) -> float:
    return _HEIGHT * (1 - value)
