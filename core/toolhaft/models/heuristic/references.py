"""Values that come from earlier observations, and the tools that would bring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolhaft.models.heuristic.choosing import Bound, choose, is_named, superlative_of, wants_all
from toolhaft.models.heuristic.lexicon import LISTING_VERBS
from toolhaft.models.heuristic.limits import checked
from toolhaft.models.heuristic.mention import Mention
from toolhaft.models.heuristic.ranking import Entry
from toolhaft.models.heuristic.readings import Reading, Record
from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import concept, content_stems, name_stems, name_words, spelled_in

REFERRING = frozenset({"id", "email", "phone", "url"})
"""Kinds of slot whose values people seldom say and tools do."""
PRODUCER_FLOOR = 0.4
_TITLES = ("name", "title", "subject", "label")
_ID_KEYS = frozenset({"id", "_id", "uuid", "key", "code", "sku", "ref", "reference", "number", "slug"})


@dataclass(frozen=True, slots=True)
class Found:
    """Values for a slot from what is known.

    Attributes:
        values: Best first; all of them are meant if ``all`` is set.
        evidence: How much speaks for the first; 0 if nothing tells it from the others.
        count: How many there were to choose from.
        record: The record of the first.
        unclear: Several records bear the name that the clause says, and nothing tells which is meant.
        others: Further values that fit the wording, best first, for when the first leads nowhere.
    """

    values: tuple[Any, ...]
    evidence: float
    count: int
    all: bool
    record: Record
    others: tuple[Any, ...] = ()
    unclear: bool = False


def find_value(
    slot: Slot,
    known: Sequence[Reading],
    clause: str,
    *,
    mentions: Sequence[Mention] = (),
    bounds: Sequence[Bound] = (),
    focus: Sequence[Record] = (),
    spare: Sequence[Record] = (),
    soft: bool = False,
) -> Found | None:
    """Return values for a slot from earlier observations, or None if no field of them fits.

    The newest observation with a fitting field is taken, unless an older one is named by the clause.

    Args:
        slot: What asks for the value.
        known: What was read, oldest first.
        clause: The words that tell which record is meant.
        mentions: Values in the clause.
        bounds: Limits that it sets.
        focus: Records that the last goal was about; they win where the clause tells nothing.
        spare: Records that came behind these.
        soft: What the clause says is a wish only: every other record will do if need be.
    """
    best: Found | None = None
    for reading in reversed(known):
        if reading.failed:
            continue
        fitting = [
            (record, value) for record in reading.records if (value := field_for(slot, record)) is not None
        ]
        if not fitting:
            continue
        values = {id(record): value for record, value in fitting}
        chosen, evidence = choose([record for record, _ in fitting], clause, mentions, bounds)
        others: list[Record] = []
        if evidence < 0.3:
            in_focus = [record for record in focus if id(record) in values]
            if in_focus:
                chosen, evidence = in_focus, 0.5
                others = [record for record in spare if id(record) in values]
        others = [*chosen[1:], *others]
        if soft:
            others.extend(record for record, _ in fitting if not any(record is one for one in chosen))
        elif is_named(chosen[0], clause):
            # ``A or B`` names both
            others = [record for record, _ in fitting if is_named(record, clause) and record is not chosen[0]]
        found = Found(
            tuple(dict.fromkeys(_hashable(values[id(record)]) for record in chosen)),
            evidence,
            len({_hashable(value) for value in values.values()}),
            wants_all(clause),
            chosen[0],
            tuple(dict.fromkeys(_hashable(values[id(record)]) for record in others)),
            not soft and not wants_all(clause) and _is_unclear(chosen, values, clause),
        )
        if best is None or (found.evidence > best.evidence + 0.5):
            best = found
    return best


def _is_unclear(chosen: Sequence[Record], values: Mapping[int, Any], clause: str) -> bool:
    """Return whether two records of one name stand first, and the clause has no more of one of them."""
    if len(chosen) < 2 or superlative_of(clause) is not None:
        return False
    one, two = chosen[:2]
    if values[id(one)] == values[id(two)] or not (is_named(one, clause) and is_named(two, clause)):
        return False
    said = frozenset(content_stems(clause))
    names = [{key: value for key, value in record.fields.items() if key in _TITLES} for record in (one, two)]
    return bool(names[0]) and names[0] == names[1] and _told(one, said) == _told(two, said)


def _told(record: Record, said: frozenset[str]) -> frozenset[str]:
    """Return which of the words of a clause a record has."""
    texts = (value[:200] for value in record.fields.values() if isinstance(value, str))
    return said & {stem for text in texts for stem in content_stems(text)}


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def field_for(slot: Slot, record: Record) -> Any:
    """Return the value of a record that fits a slot by name and type, or None."""
    best: tuple[float, Any] | None = None
    for key, value in record.fields.items():
        score = _key_score(slot, key, record)
        if score > 0.0 and _typed(slot, value) and (best is None or score > best[0]):
            best = (score, value)
    return best[1] if best is not None else None


def _key_score(slot: Slot, key: str, record: Record) -> float:
    stems = set(name_stems(key))
    if slot.kind == "id":
        noun = set(slot.noun)
        if stems == set(slot.name) and (noun or "id" not in stems):
            return 3.0 if noun else 1.0
        last = slot.noun[-1] if slot.noun else ""
        is_key = key.lower() in _ID_KEYS or name_words(key)[-1:] in (("id",), ("ids",))
        if not is_key:
            return 0.0
        bare = key.lower() in _ID_KEYS
        if bare and set(name_stems(key)) & (noun - record.noun) and record.noun & noun:
            return 2.7
        if bare and record.noun & noun:
            return (2.5 if key.lower() == "id" else 1.2) if last in record.noun else 1.0
        if not bare and last and last in stems:
            return 2.0
        return 0.0
    if stems == set(slot.name):
        return 2.0
    if slot.kind in ("email", "phone", "url") and slot.kind in stems | {concept(one) for one in stems}:
        return 1.5
    own = {one for one in slot.name if one not in record.noun}
    return 1.0 if own and own == stems and len(own) < len(slot.name) else 0.0


def _typed(slot: Slot, value: Any) -> bool:
    kind = slot.schema.get("type")
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return False
    if kind == "integer":
        return isinstance(value, int) and checked(slot, value)
    if kind == "number":
        return isinstance(value, int | float) and checked(slot, value)
    if kind == "string" or kind is None:
        return isinstance(value, str) and len(value) <= 300 and checked(slot, value)
    return False


def producers(slot: Slot, consumer: Entry, entries: Sequence[Entry], scores: dict[str, float]) -> list[Entry]:
    """Return tools whose results would hold a value for a slot, best first.

    Args:
        slot: What is looked for.
        entries: Every tool that is offered.
        consumer: The tool that wants the value.
        scores: How well each tool fits the goal's words, by name; breaks ties.
    """
    noun = set(slot.noun) if slot.kind == "id" else set(slot.name) | ({slot.kind} & REFERRING)
    noun |= {concept(one) for one in noun}
    top = max(scores.values(), default=1.0) or 1.0
    ranked: list[tuple[float, int, Entry]] = []
    for order, entry in enumerate(entries):
        if entry.spec.name == consumer.spec.name or entry.spec.effect != "read":
            continue
        if any(
            other.required and other.kind == "id" and set(other.noun) == set(slot.noun)
            for other in entry.slots
        ):
            continue
        score = _produces(slot, noun, entry)
        if spelled_in(entry.spec.name, str(slot.schema.get("description") or "")) >= 0:
            score += 4.0
        if score < PRODUCER_FLOOR:
            continue
        words = name_words(entry.spec.name)
        score += 0.5 if words and words[0] in LISTING_VERBS else 0.0
        score -= 0.3 * sum(other.required and other.kind == "id" for other in entry.slots)
        score += 0.6 * scores.get(entry.spec.name, 0.0) / top
        if entry.spec.parent and entry.spec.parent == consumer.spec.parent:
            score += 0.6
        ranked.append((-score, order, entry))
    ranked.sort(key=lambda one: one[:2])
    return [entry for _, _, entry in ranked]


def _produces(slot: Slot, noun: set[str], entry: Entry) -> float:
    named = {one for one in entry.nouns if one in noun or concept(one) in noun}
    score = 0.0
    if named:
        last = slot.noun[-1] if slot.kind == "id" and slot.noun else ""
        score = 1.5 + (
            0.7 if last and (last in named or concept(last) in {concept(one) for one in named}) else 0.0
        )
        score -= 0.25 * len(entry.nouns - named)
    elif any(one in entry.weights for one in noun if len(one) > 2):
        score = 0.5
    elif slot.kind in REFERRING - {"id"} and any(other.kind in ("person", "query") for other in entry.slots):
        score = 0.4
    if entry.spec.returns and _promises(slot, noun, entry.spec.returns, entry.spec.returns, frozenset(), 0):
        score += 1.2
    return score


def _promises(
    slot: Slot, noun: set[str], schema: Any, root: dict[str, Any], under: frozenset[str], depth: int
) -> bool:
    """Return whether a schema of results has a field for the slot."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if isinstance(reference, str):
        schema = (
            root.get("$defs", {}).get(reference.rpartition("/")[2])
            if isinstance(root.get("$defs"), dict)
            else None
        )
    if not isinstance(schema, dict) or depth > 5:
        return False
    if isinstance(items := schema.get("items"), dict) and _promises(
        slot, noun, items, root, under, depth + 1
    ):
        return True
    properties = schema.get("properties")
    for key, inner in list(properties.items())[:40] if isinstance(properties, dict) else ():
        stems = frozenset(name_stems(key))
        if stems == slot.name and (slot.noun or slot.kind != "id"):
            return True
        if key == "id" and slot.kind == "id" and under & noun:
            return True
        if _promises(slot, noun, inner, root, stems, depth + 1):
            return True
    return False
