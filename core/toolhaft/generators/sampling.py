"""Which tools belong into one task: one alone, several of one kind, or a chain of producer and consumer.

Source: the three settings of Qin et al., "ToolLLM: Facilitating Large Language Models to Master 16000+
Real-world APIs" (ICLR 2024), section 2.2. Deviations: chains are found by what results hold and arguments
need, not by a language model; every tool takes its turn, so that none is seen far more often than another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from toolhaft.generators.drafts import Draft, Link, Planned
from toolhaft.generators.pool import ValuePool
from toolhaft.generators.schemas import (
    Field,
    fields_of,
    has_prefix,
    is_identifier,
    plain_name,
    properties_of,
    resolve,
    singular,
)
from toolhaft.generators.values import Chosen, ValueChooser
from toolhaft.types import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A tool whose result holds what another one requires."""

    producer: ToolSpec
    consumer: ToolSpec
    link: Link


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no draft could be made, and of which tool."""

    tool: str
    reason: str


def sample_one(specs: Sequence[ToolSpec], chooser: ValueChooser, random: Random) -> Iterator[Draft | Refusal]:
    """Iterate without end over drafts of one call, every tool in its turn."""
    for spec in _turns(specs, random):
        planned = _plan(spec, chooser, random)
        yield planned if isinstance(planned, Refusal) else Draft(kind="one-tool", steps=(planned,))


def sample_category(
    specs: Sequence[ToolSpec], chooser: ValueChooser, random: Random
) -> Iterator[Draft | Refusal]:
    """Iterate without end over drafts of two calls of one parent, which do not depend on each other."""
    groups: defaultdict[str, list[ToolSpec]] = defaultdict(list)
    for spec in specs:
        groups[spec.parent or spec.source.partition(":")[0]].append(spec)
    for spec in _turns(specs, random):
        others = [
            other for other in groups[spec.parent or spec.source.partition(":")[0]] if other is not spec
        ]
        # Two writes may stand in each other's way.
        others = [other for other in others if "read" in (other.effect, spec.effect)]
        if not others:
            yield Refusal(spec.name, "no other tool of its kind")
            continue
        first, second = _plan(spec, chooser, random), _plan(random.choice(others), chooser, random)
        if isinstance(first, Refusal):
            yield first
        elif isinstance(second, Refusal):
            yield second
        else:
            yield Draft(kind="category", steps=(first, second))


def sample_chain(
    specs: Sequence[ToolSpec], chooser: ValueChooser, random: Random
) -> Iterator[Draft | Refusal]:
    """Iterate over drafts of a producer and a consumer, every consumer in its turn; none without pairs."""
    by_consumer: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in find_pairs(specs, chooser.pool):
        by_consumer[pair.consumer.name].append(pair)
    consumers = [spec for spec in specs if spec.name in by_consumer]
    for spec in _turns(consumers, random):
        pair = random.choice(by_consumer[spec.name])
        producer = _plan(pair.producer, chooser, random)
        if isinstance(producer, Refusal):
            yield producer
        else:
            yield Draft(kind="chain", steps=(producer, Planned(spec=spec, link=pair.link)))


def find_pairs(specs: Sequence[ToolSpec], pool: ValuePool) -> list[Pair]:
    """Return the pairs of a tool whose result holds an identifier and one that requires it.

    A field fits an argument if it has its name, type and format; ``id`` has the name of what it belongs to.
    A tool that needs the identifier itself is no producer of it: its user knows it already. What a result
    holds is read from ``returns``, and from what was observed where that says nothing.
    """
    holders: defaultdict[str, list[tuple[ToolSpec, Field, bool]]] = defaultdict(list)
    for spec in specs:
        things: set[tuple[str, ...]] = set()
        for field in _produced(spec, pool):
            own = field.path[:-1] not in things
            things.add(field.path[:-1])
            for name in _names(field):
                holders[name].append((spec, field, own))
    pairs = []
    for spec in specs:
        members = properties_of(resolve(spec.parameters, spec.parameters), spec.parameters)
        needed = [name for name in spec.required if is_identifier(name, members.get(name, {}))]
        if len(needed) != 1:
            continue
        name, schema = needed[0], members.get(needed[0], {})
        taken: set[str] = set()
        for producer, field, own in holders.get(plain_name(name), ()):
            if producer is spec or producer.name in taken or not _fits(field, schema, producer, spec):
                continue
            if not {plain_name(each) for each in producer.required} & {plain_name(name)}:
                taken.add(producer.name)
                link = Link(argument=name, path=field.path, own=own)
                pairs.append(Pair(producer=producer, consumer=spec, link=link))
    return pairs


def _turns(specs: Sequence[ToolSpec], random: Random) -> Iterator[ToolSpec]:
    while specs:
        yield from random.sample(list(specs), len(specs))


def _plan(spec: ToolSpec, chooser: ValueChooser, random: Random) -> Planned | Refusal:
    chosen = chooser.choose(spec, random)
    if not isinstance(chosen, Chosen):
        return Refusal(spec.name, chosen)
    return Planned(spec=spec, arguments=chosen.arguments, sources=chosen.sources)


def _produced(spec: ToolSpec, pool: ValuePool) -> Iterator[Field]:
    """Iterate over the identifiers in a tool's result, the outermost first."""
    promised: Mapping[tuple[str, ...], Field] = {field.path: field for field in fields_of(spec.returns)}
    for field in (promised or pool.seen.get(spec.name, {})).values():
        # A list within a list is of other things than the one that was asked for.
        if field.path.count("*") <= 1 and is_identifier(field.name, field.schema):
            yield field


def _names(field: Field) -> set[str]:
    names = {plain_name(field.name)}
    if plain_name(field.name) in ("id", "key", "uuid") and field.holder:
        names.add(plain_name(f"{singular(field.holder)}_{field.name}"))
    return names


def _fits(field: Field, wanted: Mapping[str, object], producer: ToolSpec, consumer: ToolSpec) -> bool:
    kinds = {field.schema.get("type"), wanted.get("type")} - {None}
    if len(kinds) > 1 or field.schema.get("format", wanted.get("format")) != wanted.get("format"):
        return False
    if has_prefix(field.schema) and has_prefix(wanted):
        return bool(field.schema["pattern"] == wanted["pattern"])
    # Plain names such as ``code`` mean the same only where one service speaks.
    return producer.parent == consumer.parent or len(plain_name(field.name)) > 6
