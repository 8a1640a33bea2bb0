"""What callers write, made into the parts of an agent: its catalog, its policy, its budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.policy import Policy
    from toolhaft.types import Budget


def catalog_of(tools: Iterable[Catalog | Tool] | Catalog | Tool) -> Catalog:
    """Return one catalog of catalogs and loose tools."""
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog

    if isinstance(tools, Catalog):
        return tools
    if isinstance(tools, str):
        raise UsageError(f"{tools[:80]!r} is not a catalog", hint="Open it: Agent([open_catalog(...)])")
    catalogs: list[Catalog] = []
    loose: list[Tool] = []
    for entry in [tools] if isinstance(tools, Tool) else tools:
        if isinstance(entry, Catalog):
            catalogs.append(entry)
        else:
            loose.append(entry)
    if loose:
        catalogs.append(Catalog(loose, name="tools"))
    return catalogs[0] if len(catalogs) == 1 else Catalog.merge(*catalogs)


def policy_of(allow: str | Sequence[str], catalog: Catalog) -> Policy:
    """Return the policy that ``allow`` makes; a name that nothing answers to is a typing error."""
    from typing import get_args

    from toolhaft.errors import UnknownNameError
    from toolhaft.tools.policy import policy
    from toolhaft.types import Effect

    made = policy(allow)
    for name in made.allow:
        if name not in get_args(Effect) and not set(name) & set("*?[") and name not in catalog:
            raise UnknownNameError("effect or tool", name, [*get_args(Effect), *catalog.names], where="allow")
    return made


def budget_of(budget: Budget | Mapping[str, Any] | None) -> Budget:
    """Return a budget from its fields.

    Raises:
        UnknownNameError: A field is unknown.
        UsageError: A value is less than 0, or a part of something that is counted.
    """
    from dataclasses import fields

    from toolhaft.errors import UnknownNameError
    from toolhaft.types import Budget

    if budget is None:
        return Budget()
    if isinstance(budget, Budget):
        return budget
    known = [field.name for field in fields(Budget)]
    limits = dict(budget)
    for name, value in budget.items():
        if name not in known:
            raise UnknownNameError("budget", name, known)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise UsageError(f"the budget {name} is {value!r}", hint="Give a number of at least 0, or None")
        if isinstance(value, float) and name not in ("cost", "seconds"):
            if not value.is_integer():
                raise UsageError(f"the budget {name} is {value!r}", hint="Give a whole number, or None")
            limits[name] = int(value)
    return Budget(**limits)


def new_id() -> str:
    """Return an id for a rollout: the time, and something that no other has."""
    import secrets
    from datetime import UTC, datetime

    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
