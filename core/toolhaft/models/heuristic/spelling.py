"""Values that a clause spells out as the schema has them: choices, switches, examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolhaft.models.heuristic.coercion import choose_enum, decide_boolean
from toolhaft.models.heuristic.slots import Path, Slot
from toolhaft.models.heuristic.words import name_stems, spelled_in


def spelled_value(slot: Slot, clause: str, choices: str, text: str) -> Any:
    """Return the choice, switch or example of a slot that a clause spells out, or None.

    Args:
        slot: What asks for the value.
        clause: The words of the goal.
        choices: The clause as far as choices are looked for in it.
        text: The whole instruction, for choices that have to be made.
    """
    if slot.kind in ("enum", "boolean") and not slot.many:
        return _closed(slot, choices, text)
    if (example := _from_examples(slot, clause)) is not None:
        return [example] if slot.many else example
    if slot.many and slot.kind == "enum":
        listed = slot.schema.get("enum", [])
        return [one for one in listed if isinstance(one, str) and spelled_in(one, clause) >= 0] or None
    return None


def stems_of_choices(slots: Sequence[Slot], values: dict[Path, Any]) -> frozenset[str]:
    """Return the stems of the choices made: ``vegan`` that was chosen is no key word any more."""
    return frozenset(
        one
        for slot in slots
        if slot.kind == "enum" and isinstance(value := values.get(slot.path), str)
        for one in name_stems(value)
    )


def _closed(slot: Slot, clause: str, text: str) -> Any:
    if slot.kind == "boolean":
        return decide_boolean(slot, clause)
    found = choose_enum(slot, clause)
    if found is None and slot.required:
        found = choose_enum(slot, text)
    return found


def _from_examples(slot: Slot, clause: str) -> str | None:
    if slot.kind not in ("text", "place", "person", "query") or not slot.examples:
        return None
    present = [one for one in slot.examples if len(one) > 2 and spelled_in(one, clause) >= 0]
    return max(present, key=len) if present else None
