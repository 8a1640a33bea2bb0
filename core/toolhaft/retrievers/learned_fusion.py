"""How to fuse, learned from queries whose tools are known, as a small file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, FormatError, ToolhaftError
from toolhaft.retrievers.fusion import check_fusion, check_weights

FORMAT = 1
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedFusion:
    """What `toolhaft.retrievers.hybrid.Hybrid` takes as ``learned``.

    Attributes:
        fusion: One of `toolhaft.retrievers.fusion.FUSIONS`.
        weights: By the label of a retriever, at least 0.
        depth: Candidates of each retriever.
        parent_boost: Share of the best fused score in a tool's service that is added to its own.
        learned_on: What it was learned from and how good it was there, for people: JSON values.
    """

    fusion: str
    weights: Mapping[str, float]
    depth: int
    parent_boost: float = 0.0
    learned_on: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Raises:
            ToolhaftError: The file cannot be written.
        """
        file = Path(path)
        beside = file.with_name(f"{file.name}.{os.getpid()}.new")
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False, default=dict)
        try:
            beside.write_text(f"{text}\n", encoding="utf-8")
            beside.replace(file)
        except OSError as error:
            raise ToolhaftError(
                f"the learned fusion cannot be written: {error.strerror}", where=str(file)
            ) from None


def read_fusion(path: str | Path) -> LearnedFusion:
    """Read what `LearnedFusion.save` wrote.

    Raises:
        ConfigError: There is no such file.
        FormatError: It is damaged, or of an unknown format.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= _LARGEST else b""
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "not a path"
        raise ConfigError(f"the learned fusion cannot be read: {said}", where=str(file)[:400]) from None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise FormatError("the learned fusion is not JSON", where=str(file), hint="Learn it anew") from None
    return _checked(value, str(file))


def _checked(value: Any, where: str) -> LearnedFusion:
    hint = "Learn it anew"
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise FormatError("the file is no learned fusion of this version", where=where, hint=hint)
    unknown = sorted(value.keys() - {each.name for each in fields(LearnedFusion)})
    weights, depth, boost = value.get("weights"), value.get("depth"), value.get("parent_boost", 0.0)
    learned_on = value.get("learned_on", {})
    if unknown or not isinstance(weights, dict) or not isinstance(learned_on, dict):
        what = (
            f"has an unknown field {unknown[0]!r:.60}" if unknown else "lacks weights or what it learned on"
        )
        raise FormatError(f"the learned fusion {what}", where=where, hint=hint)
    if not isinstance(depth, int) or isinstance(depth, bool) or not isinstance(boost, int | float):
        raise FormatError(
            "the learned fusion has a depth or a boost that is no number", where=where, hint=hint
        )
    try:
        checked = check_weights(weights.values(), len(weights))
        fusion = check_fusion(value.get("fusion"))
    except ConfigError as error:
        raise FormatError(f"the learned fusion is damaged: {error.what}", where=where, hint=hint) from None
    return LearnedFusion(
        fusion=fusion,
        weights=dict(zip(weights, checked, strict=True)),
        depth=depth,
        parent_boost=float(boost),
        learned_on=learned_on,
    )
