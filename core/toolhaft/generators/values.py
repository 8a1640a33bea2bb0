"""Arguments that make sense: from the schema, and from what the catalog's own tools say exists."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from toolhaft.errors import InvalidArgumentsError, SpecError
from toolhaft.generators.pattern import text_of
from toolhaft.generators.pool import ValuePool
from toolhaft.generators.schemas import has_prefix, is_identifier, properties_of, resolve, singular, words_of
from toolhaft.generators.texts import lines
from toolhaft.tools.schema import ArgumentChecker, compile_schema
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    import jsonschema_rs

DAY = "2026-03-02"
"""Today, where no tool says which day it is; a fixed one, so that the same seed gives the same tasks."""
_NEVER_SAID = frozenset({"idempotency", "cursor", "token", "offset", "callback", "apikey"})
_PAGING = frozenset({"limit", "page", "size", "per"})
_TEXTS = {
    "text",
    "body",
    "message",
    "comment",
    "description",
    "details",
    "note",
    "reason",
    "content",
    "remark",
}
_TITLES = {"title", "subject", "name", "label", "headline", "summary", "topic"}
_SHARED = {"city", "country", "currency", "language", "email", "airport", "nationality", "timezone"}
_PEOPLE = {
    "requester",
    "owner",
    "sender",
    "recipient",
    "member",
    "holder",
    "user",
    "signer",
    "person",
    "guest",
    "author",
    "contact",
    "attendee",
    "customer",
    "passenger",
    "employee",
}
_PERSON = re.compile(r"\b(?:full name|person|guest|passenger|who)\b", re.IGNORECASE)
_SEARCHED = {"query", "q", "search", "keyword", "keywords", "term", "phrase"}
_LISTS: tuple[tuple[set[str], tuple[str, ...]], ...] = (
    ({"city", "town", "destination", "location"}, ("cities",)),
    ({"country", "nationality", "region"}, ("countries", "country_names")),
    ({"language", "lang", "locale"}, ("languages",)),
    ({"currency"}, ("currencies",)),
)
_CHANCE = 0.35
_MOST_OPTIONAL = 3
_TRIES = 12
_MOST_ITEMS = 50
_DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Arguments for one call.

    Attributes:
        sources: By argument, where its value came from: ``enum``, ``example``, ``range``, ``text``, ``date``,
            ``pattern``, or ``tool:NAME``.
    """

    arguments: dict[str, Any]
    sources: dict[str, str]


class ValueChooser:
    """Draws arguments for tools.

    Args:
        pool: What exists.
    """

    def __init__(self, pool: ValuePool) -> None:
        self.pool = pool
        self._checker = ArgumentChecker()
        self._validators: dict[tuple[int, str], jsonschema_rs.Draft202012Validator] = {}
        self._kept: list[dict[str, Any]] = []

    def choose(
        self, spec: ToolSpec, random: Random, *, given: Mapping[str, Any] | None = None, optional: bool = True
    ) -> Chosen | str:
        """Return arguments that fit a tool's schema, or why there are none.

        Args:
            spec: The tool.
            random: Draws them.
            given: Arguments that stand already.
            optional: Whether some of the optional ones are chosen, too.
        """
        root = spec.parameters
        whole = resolve(root, root)
        members = properties_of(whole, root)
        needed = dict.fromkeys([*spec.required, *map(str, whole.get("required") or ())])
        arguments, sources = dict(given or {}), dict.fromkeys(given or (), "chain")
        required = [name for name in needed if name not in arguments]
        more = [name for name in members if name not in needed and name not in arguments]
        random.shuffle(more)
        extra = [name for name in more if optional and random.random() < _chance(name)][:_MOST_OPTIONAL]
        for name in [*required, *extra]:
            found = self._value(spec, name, members.get(name, {}), random)
            if found is None:
                if name in required:
                    return f"no value for the argument {name!r}"
                continue
            arguments[name], sources[name] = found
        arguments = {name: arguments[name] for name in [*members, *arguments] if name in arguments}
        _order_days(arguments, sources)
        try:
            self._checker.check(spec, arguments)
        except (InvalidArgumentsError, SpecError) as error:
            return f"the arguments do not fit the schema: {error.what[:120]}"
        return Chosen(arguments=arguments, sources=sources)

    def _value(
        self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random
    ) -> tuple[Any, str] | None:
        """Return a value for an argument with its source, or None."""
        draws = self._draws(spec, name, schema, random, _DEEPEST)
        for _, (value, source) in zip(range(_TRIES), draws, strict=False):
            if self._fits(spec, name, schema, value):
                return value, source
        return None

    def _fits(self, spec: ToolSpec, name: str, schema: Mapping[str, Any], value: Any) -> bool:
        key = (id(spec.parameters), name)
        validator = self._validators.get(key)
        if validator is None:
            whole = {**schema, "$defs": spec.parameters.get("$defs", {})}
            try:
                validator = compile_schema(whole, where=spec.name)
            except SpecError:
                return False
            self._validators[key] = validator
            self._kept.append(spec.parameters)  # so that no other schema takes its identity
        return bool(validator.is_valid(value))

    def _draws(
        self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random, depth: int
    ) -> Iterator[tuple[Any, str]]:
        """Iterate over values to try, the best first."""
        if schema.get("format") == "artifact":  # nothing that could be made up names an image that is there
            return
        if "const" in schema:
            yield schema["const"], "const"
            return
        if isinstance(options := schema.get("enum"), list) and options:
            yield random.choice([option for option in options if option is not None] or options), "enum"
            return
        kind = schema.get("type")
        if kind == "boolean":
            yield random.random() < 0.7, "range"
        elif kind in ("array", "object"):
            if depth:
                yield from self._nested(spec, name, schema, random, depth - 1)
        elif kind in ("integer", "number"):
            yield from self._numbers(spec, name, schema, random)
        else:
            yield from self._texts(spec, name, schema, random)
        examples = schema.get("examples")
        listed = list(examples) if isinstance(examples, list) else []
        for example in [*listed, schema.get("example"), schema.get("default")]:
            if example is not None:
                yield example, "example"

    def _nested(
        self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random, depth: int
    ) -> Iterator[tuple[Any, str]]:
        root = spec.parameters
        for _ in range(3):
            if schema.get("type") == "array":
                least, most = _lengths(schema)
                if least > _MOST_ITEMS:
                    return
                count = random.randint(least, most)
                item = resolve(schema.get("items"), root)
                found = [self._first(spec, name, item, random, depth) for _ in range(count)]
                values = [value for value in found if value is not None]
                values = [value for i, value in enumerate(values) if value not in values[:i]]
                if values:
                    yield values, "list"
                continue
            members = properties_of(schema, root)
            required = [str(each) for each in schema.get("required") or ()]
            made: dict[str, Any] = {}
            for member, inner in members.items():
                if member in required or random.random() < _CHANCE:
                    known = f"{singular(name)}_name" if member == "name" else member
                    value = self._first(spec, known, inner, random, depth)
                    if value is not None:
                        made[member] = value
            yield made, "object"

    def _first(self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random, depth: int) -> Any:
        root = {**schema, "$defs": spec.parameters.get("$defs", {})}
        try:
            validator = compile_schema(root, where=spec.name)
        except SpecError:
            return None
        for _, (value, _source) in zip(
            range(_TRIES), self._draws(spec, name, schema, random, depth), strict=False
        ):
            if validator.is_valid(value):
                return value
        return None

    def _numbers(
        self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random
    ) -> Iterator[tuple[Any, str]]:
        if is_identifier(name, schema) or words_of(name)[-1:] == ["year"]:
            yield from self._known(spec, name, random)
        if words_of(name)[-1:] == ["year"]:
            yield int((self.pool.today or DAY)[:4]) - random.randint(0, 12), "range"
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        low = low if isinstance(low, int | float) else (min(1, high) if isinstance(high, int | float) else 1)
        high = high if isinstance(high, int | float) else low + 19
        high = min(high, low + 199) if set(words_of(name)) & _PAGING else high
        low, high = max(low, -(10**6)), min(high, 10**6)
        step = schema.get("multipleOf")
        for _ in range(4):
            if high < low:
                return
            if schema.get("type") == "number" and not isinstance(step, int):
                drawn: float = round(random.uniform(low, min(high, low + 500)), random.choice((0, 1, 2)))
                yield (int(drawn) if drawn.is_integer() else drawn), "range"
            else:
                # Small numbers are what people say.
                number = random.randint(int(low), int(min(high, low + 19) if random.random() < 0.7 else high))
                yield (number - number % step if isinstance(step, int) and step > 0 else number), "range"

    def _texts(
        self, spec: ToolSpec, name: str, schema: Mapping[str, Any], random: Random
    ) -> Iterator[tuple[Any, str]]:
        words = {singular(word) for word in words_of(name)}
        wants = schema.get("format")
        identifies = is_identifier(name, schema)
        free = bool(words & (_TEXTS | _TITLES)) and spec.effect != "read" and not identifies
        person = bool(words & _PEOPLE) or _PERSON.search(str(schema.get("description") or "")) is not None
        if words & _SEARCHED:
            yield from ((text, f"pool:{spec.parent}") for text in self._searched(spec, random))
        if wants in ("date", "date-time", "time") or words & {
            "date",
            "day",
            "time",
            "month",
            "since",
            "until",
        }:
            yield from self._moments(spec, random)
        if not free:
            yield from self._known(spec, name, random)
            yield from self._alike(schema, random)
        if wants == "email" or "email" in words:
            local = random.choice(lines("people")).lower().replace(" ", ".")
            yield f"{local}@example.org", "text"
        if wants in ("uri", "url", "uri-reference") or "url" in words:
            yield f"https://example.org/{random.choice(lines('words'))}", "text"
        pattern = schema.get("pattern")
        for kind in _kinds(words, person=person, free=free) if wants is None and not identifies else ():
            yield from ((random.choice(lines(kind)), "text") for _ in range(2))
        if free:
            yield from self._known(spec, name, random)
        invented = identifies and bool(self.pool.named(name, spec.parent))
        if isinstance(pattern, str) and not invented and (made := text_of(pattern, random)):
            yield made, "pattern"
        least = schema.get("minLength")
        if isinstance(least, int) and least < 200 and pattern is None and wants is None:
            yield "".join(random.choice(string.ascii_lowercase) for _ in range(least)), "pattern"

    def _known(self, spec: ToolSpec, name: str, random: Random) -> Iterator[tuple[Any, str]]:
        found = self.pool.named(name, spec.parent)
        if not is_identifier(name, {}) and not set(words_of(name)) & _SHARED:
            # Elsewhere the same plain name may mean something else.
            found = [known for known in found if known.parent == spec.parent]
        for known in random.sample(found, min(3, len(found))):
            yield known.value, f"tool:{known.tool}"

    def _alike(self, schema: Mapping[str, Any], random: Random) -> Iterator[tuple[Any, str]]:
        """Iterate over identifiers that fit a pattern with a prefix, whatever they were called."""
        pattern = schema.get("pattern")
        if not isinstance(pattern, str) or not has_prefix(schema):
            return
        try:
            validator = compile_schema({"type": "string", "pattern": pattern})
        except SpecError:
            return
        found = [known for known in self.pool.identifiers() if validator.is_valid(known.value)]
        for known in random.sample(found, min(2, len(found))):
            yield known.value, f"tool:{known.tool}"

    def _searched(self, spec: ToolSpec, random: Random) -> Iterator[str]:
        names = self.pool.names(spec.parent)
        for name in random.sample(names, min(3, len(names))):
            words = [word.strip(".,:;()") for word in name.split()]
            long = [word for word in words if len(word) > 3]
            yield random.choice(long or words or [name])

    def _moments(self, spec: ToolSpec, random: Random) -> Iterator[tuple[Any, str]]:
        days = self.pool.days(spec.parent)
        today = date.fromisoformat(self.pool.today or DAY)
        if spec.effect == "read" and days and random.random() < 0.6:
            day = random.choice(days)
        else:
            day = (today + timedelta(days=random.randint(0, 30))).isoformat()
        hour = f"{random.randint(7, 20):02}:{random.choice((0, 0, 15, 30, 45)):02}"
        for text in (day, f"{day}T{hour}", f"{day}T{hour}:00Z", hour, f"{day} {hour}", day[:7]):
            yield text, "date"


def _lengths(schema: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many items a list has at least and at most; only as many as needed, or one more."""
    least, most = schema.get("minItems"), schema.get("maxItems")
    least = max(least, 1) if isinstance(least, int) else 1
    return least, max(least, min(most, least + 1)) if isinstance(most, int) else least + 1


def _kinds(words: set[str], *, person: bool, free: bool) -> list[str]:
    """Return which texts a free argument may be, the best first."""
    for known, kinds in _LISTS:
        if words & known:
            return [*kinds, "words"]
    if person and not words & (_TEXTS | {"title", "subject"}):
        return ["people"]
    if words & _SEARCHED:
        return ["words", "titles"]
    if free:
        return ["titles"] if words & _TITLES else ["sentences", "titles"]
    return ["words", "titles"]


def _chance(name: str) -> float:
    words = set(words_of(name))
    if words & _NEVER_SAID:
        return 0.0
    return 0.12 if words & _PAGING else _CHANCE


def _order_days(arguments: dict[str, Any], sources: Mapping[str, str]) -> None:
    """Put the days of a call in order: what begins comes before what ends."""
    names = [
        name for name, source in sources.items() if source == "date" and isinstance(arguments.get(name), str)
    ]
    names = [name for name in arguments if name in names]
    for name, value in zip(names, sorted(arguments[name] for name in names), strict=True):
        arguments[name] = value
