"""Figures in a card: what was measured, and how many weights a model has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolhaft.text import clean
from toolhaft_hub.card import Metric

_MOST = 60
_DEEPEST = 6
_LONGEST = 160
_NUMBER = re.compile(r"([-+]?\d{1,12}(?:\.\d{1,12})?)\s*(%?)")
_SIZE_NAME = re.compile(r"param", re.IGNORECASE)
_SIZE = re.compile(
    r"(\d{1,6}(?:\.\d{1,4})?)\s*(k|m|b|thousand|million|billion)\b[\s-]*(?:model |trainable )?param",
    re.IGNORECASE,
)
_UNITS = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}


def metrics_of(performance: Any) -> tuple[Metric, ...]:
    """Return the figures in a card's performance field, whatever its shape.

    Args:
        performance: Usually ``{"dataset": ..., "accuracy": ...}``, both of any shape.
    """
    found: list[Metric] = []
    for metric in _metrics(performance, (), "", _DEEPEST):
        if len(found) == _MOST:
            break
        found.append(metric)
    return tuple(found)


def size_of(performance: Any, description: str) -> int | None:
    """Return the number of weights that a card states; None if it does not."""
    for metric in metrics_of(performance):
        if _SIZE_NAME.search(metric.name) and metric.value is not None and metric.value > 0:
            unit = re.search(r"\(([kmb])\)", metric.name, re.IGNORECASE)
            written = re.search(r"\d\s*([kmb])\b", metric.text, re.IGNORECASE)
            letter = unit or written
            return round(metric.value * (_UNITS[letter[1].lower()] if letter else 1))
    stated = _SIZE.search(description)
    return round(float(stated[1]) * _UNITS[stated[2].lower()]) if stated else None


def _metrics(value: Any, path: tuple[str, ...], dataset: str, deep: int) -> Iterator[Metric]:
    if deep < 0:
        return
    if isinstance(value, Mapping):
        named = value.get("dataset", value.get("name", dataset))
        inner = clean(named, _LONGEST) if isinstance(named, str) else dataset
        for name, each in value.items():
            if name in ("dataset", "name") and isinstance(each, str):
                continue
            step = () if name in ("dataset", "results") else (clean(str(name), _LONGEST),)
            yield from _metrics(each, (*path, *step), inner, deep - 1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _metrics(each, path, dataset, deep - 1)
    elif path and isinstance(value, int | float | str) and not isinstance(value, bool):
        metric = _metric(" / ".join(path), value, dataset)
        if metric is not None:
            yield metric


def _metric(name: str, value: float | str, dataset: str) -> Metric | None:
    if isinstance(value, str):
        text = clean(value, _LONGEST)
        number = _NUMBER.match(text)
        if number is None:
            return None
        return Metric(name=name, value=float(number[1]), text=text, dataset=dataset)
    try:
        figure = float(value)
    except OverflowError:
        return None
    if not math.isfinite(figure):
        return None
    return Metric(name=name, value=figure, text=str(value), dataset=dataset)
