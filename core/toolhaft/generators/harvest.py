"""Asking a catalog's own read tools what there is, within bounds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

from toolhaft.errors import ToolhaftError
from toolhaft.generators.calling import call_for_value
from toolhaft.generators.pool import ValuePool
from toolhaft.generators.values import Chosen, ValueChooser
from toolhaft.tools.catalog import Catalog
from toolhaft.types import ToolSpec

_SECONDS = 20.0
_IN_VAIN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What was found.

    Attributes:
        pool: The values.
        calls: How many calls were made; only of tools whose effect is ``read``.
        failed: How many of them failed.
    """

    pool: ValuePool
    calls: int
    failed: int


async def harvest(
    catalog: Catalog, *, seed: int = 0, most: int = 400, each: int = 3, rounds: int = 3
) -> Harvest:
    """Call read tools, first those that need nothing, then others with what was found.

    Nothing but tools of the effect ``read`` is called. It ends early after fifteen failures in a row.

    Args:
        catalog: The tools.
        seed: Of the arguments.
        most: Calls in all; 0 calls nothing.
        each: Calls of one tool, over all rounds.
        rounds: How often what was found is used to find more.
    """
    pool = ValuePool()
    chooser = ValueChooser(pool)
    reads = sorted((spec for spec in catalog.specs() if spec.effect == "read"), key=_need)
    made: dict[str, list[dict[str, Any]]] = {}
    calls = failed = in_vain = 0
    for turn in range(rounds):
        for spec in reads:
            asked = made.setdefault(spec.name, [])
            if calls >= most or in_vain >= _IN_VAIN:
                return Harvest(pool=pool, calls=calls, failed=failed)
            if len(asked) >= each or (turn and not spec.properties):
                continue
            random = Random(f"harvest/{seed}/{turn}/{spec.name}")
            chosen = chooser.choose(spec, random, optional=turn > 1)
            if not isinstance(chosen, Chosen) or chosen.arguments in asked:
                continue
            asked.append(chosen.arguments)
            calls += 1
            if await _ask(catalog, spec, chosen.arguments, pool):
                in_vain = 0
            else:
                failed, in_vain = failed + 1, in_vain + 1
    return Harvest(pool=pool, calls=calls, failed=failed)


async def _ask(catalog: Catalog, spec: ToolSpec, arguments: dict[str, Any], pool: ValuePool) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            value = await call_for_value(catalog, spec.name, arguments)
    except (ToolhaftError, TimeoutError):
        return False
    pool.add(spec, value, asked=bool(arguments))
    return True


def _need(spec: ToolSpec) -> int:
    return len(spec.required)
