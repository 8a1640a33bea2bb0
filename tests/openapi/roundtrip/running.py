"""Given arguments -> request -> decoder -> the same arguments: one operation, one document."""

import hashlib
import time
from dataclasses import dataclass, field

from hypothesis.errors import HypothesisException
from schemathesis.core.errors import SchemathesisError

from .bodies import LINES, TEXTS, is_json
from .calls import Names, as_text
from .decoding import Decoder
from .documents import OutsideError
from .exclusions import XML_TEXT, reasons_for_field, reasons_for_form, reasons_for_xml, shared_names
from .generating import ABSENT, Given
from .operations import IGNORED_HEADERS, plain
from .schemas import DEPTH
from .validating import Validators
from .values import Text, difference, is_nothing, same, typed

EXAMPLES = 3
GENERATOR_ERRORS = (
    SchemathesisError,
    HypothesisException,
    LookupError,
    ValueError,
    TypeError,
    RecursionError,
)
"""What the generator cannot draw from is its own affair, and counted apart."""
TRIES = 3
BODY = ("body", "")


@dataclass
class Outcome:
    """What became of one operation.

    Attributes:
        status: ``right``, ``wrong``, ``excluded`` (no example can be carried), ``no-tool`` or ``no-example``.
        reasons: Of what is wrong.
        excluded: Name of a reason -> number of examples.
        excuses: Reasons and problems of every excluded example.
    """

    document: str
    label: str
    status: str = "right"
    features: tuple = ()
    reasons: list = field(default_factory=list)
    examples: int = 0
    excluded: dict = field(default_factory=dict)
    excuses: list = field(default_factory=list)
    seconds: float = 0.0


def seed_of(*parts):
    """Return a seed that is the same on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:4], "big")


class Runner:
    """Runs operations of one document.

    Args:
        name: Of the document.
        document: As read here.
        catalog: As imported.
        generator: Draws arguments.
    """

    def __init__(self, name, document, catalog, generator, salt="1"):
        self.name = name
        self.document = document
        self.catalog = catalog
        self.generator = generator
        self.salt = salt
        self.decoder = Decoder(document)
        self.validators = Validators(document, self.decoder.schemas)
        self.tools = {
            (entry.method.upper(), entry.path): entry.name
            for entry in catalog.report.operations
            if entry.name
        }

    def run(self, operation, features=()):
        """Return what became of an operation."""
        started = time.perf_counter()
        outcome = Outcome(self.name, operation.label, features=tuple(features))
        name = self.tools.get((operation.method.upper(), operation.path))
        if name is None:
            outcome.status = "no-tool"
            return outcome
        try:
            self._run(operation, self.catalog[name], outcome)
        except OutsideError as error:
            outcome.status, outcome.reasons = "no-example", [f"leaves the document: {error}"]
        outcome.seconds = time.perf_counter() - started
        return outcome

    def _run(self, operation, tool, outcome):
        names = Names(tool)
        right = 0
        for attempt in range(TRIES):
            seed = seed_of(self.salt, self.name, operation.label, attempt)
            cases = self._draw(operation, names, seed, outcome)
            for given in cases:
                given = self._settled(operation, given, names)
                if given.body is ABSENT and operation.body_required:
                    # the generator leaves a required body out where its schema says nothing
                    given.body = {"any": [1, "é"]} if is_json(names.media) else b"\x00\xff"
                problems = self._try(operation, tool, names, given)
                excuses = excused(problems, self._excuses(operation, given)) if problems else set()
                if not problems:
                    right += 1
                elif excuses:
                    outcome.excuses.append((sorted(excuses), [text for _, text in problems[:2]]))
                    for excuse in excuses:
                        outcome.excluded[excuse] = outcome.excluded.get(excuse, 0) + 1
                else:
                    outcome.status = "wrong"
                    outcome.reasons += [text for _, text in problems[:3]]
                outcome.examples += 1
            if not cases or right >= EXAMPLES or outcome.status == "wrong":
                break
            if not operation.fields and not operation.bodies:
                break
        if outcome.status == "right" and not right:
            outcome.status = "excluded" if outcome.excluded else "no-example"

    def _draw(self, operation, names, seed, outcome):
        try:
            return self.generator.draw(
                operation.method, operation.path, media=names.media, count=EXAMPLES, seed=seed
            )
        except GENERATOR_ERRORS as error:
            outcome.reasons.append(f"generator: {type(error).__name__} {str(error)[:80]}")
            return []

    def _try(self, operation, tool, names, given):
        """Return what is wrong with one example: where, None if that is not known, and what."""
        from toolhaft.errors import ToolhaftError

        arguments, unknown = names.arguments(given, tool.spec.parameters)
        ignored = {("path", name) for place, name in unknown if place == "path"}
        try:
            request = tool.request(arguments)
        except ToolhaftError as error:
            problems = [(None, f"no argument for {one}") for one in unknown]
            return [*problems, (None, f"refused: {error.what[:140]} (body {given.body!r:.60})")]
        if request.key_header:
            # its value is the call's own key, which the transport adds
            ignored |= {one for one in unknown if one[1].lower() == request.key_header.lower()}
        problems = [
            (_folded(one) if one[0] != "body" else BODY, f"no argument for {one[0]} {one[1]!r}")
            for one in unknown
            if one not in ignored
        ]
        decoded = self.decoder.decode(operation, request.method, request.url, request.headers, request.body)
        problems += [(None, text) for text in decoded.problems]
        problems += self._compare_fields(operation, given, decoded, ignored)
        problems += self._compare_body(operation, given, decoded)
        return problems

    def _settled(self, operation, given, names):
        """Undo what the generator has already written as text, and drop what the specification ignores."""
        fields = dict(given.fields)
        schemas = {(one.place, one.name): one.schema for one in operation.fields}
        for (place, name), value in given.fields.items():
            if place == "header" and name.lower() in IGNORED_HEADERS:
                del fields[(place, name)]
            elif place == "path":
                fields[(place, name)] = self._untext(schemas.get((place, name)), value)
            elif ("querystring", name) in schemas:
                fields[("querystring", name)] = fields.pop((place, name))
            if (place, name) in fields:
                fields[(place, name)] = as_text(fields[(place, name)])
        media = names.media or plain(given.media)
        if media.endswith(("/xml", "+xml")) and media in operation.bodies:
            given.body = declared_alone(self.decoder.schemas, operation.bodies[media].schema, given.body)
        if given.body is not ABSENT and is_bytes(media) and not isinstance(given.body, str | bytes):
            given.body = b"\x00\xff"  # a schema that says nothing of a body that has no structure
        return Given(fields, settle_bytes(given.body, media), given.media)

    def _untext(self, schema, value):
        if isinstance(value, list):
            return [self._untext(self.decoder.schemas.items(schema, n), one) for n, one in enumerate(value)]
        if isinstance(value, dict):
            found = self.decoder.schemas
            return {name: self._untext(found.property(schema, name), one) for name, one in value.items()}
        words = {"true": True, "false": False, "null": None}
        kinds = self.decoder.schemas.kinds(schema)
        return words[value] if value in words and isinstance(value, str) and "string" not in kinds else value

    def _compare_fields(self, operation, given, decoded, ignored):
        problems = []
        known = {}
        for one in operation.fields:
            known[(one.place, one.name.lower() if one.place == "header" else one.name)] = one
        found = {_folded(key): readings for key, readings in decoded.fields.items()}
        sent = {_folded(key): value for key, value in given.fields.items() if key not in ignored}
        for key, value in sent.items():
            if key not in known and key not in found:
                continue
            readings = found.pop(key, None)
            if readings is None:
                if not is_nothing(value):
                    problems.append((key, f"{key} = {value!r:.60} was not sent"))
                continue
            right = [reading for reading in readings if same(value, reading)]
            if value in ("", [], {}) and key in known and known[key].empty_allowed:
                right = readings if any(typed(one) in ("", [""], [], {}) for one in readings) else []
            if not right:
                shown = [_shown(one) for one in readings]
                problems.append((key, f"{key} = {value!r:.60} came back as {shown!r:.80}"))
            elif key in known and not self.validators.accepts(known[key].schema, typed(right[0]), value):
                problems.append((key, f"{key} = {_shown(right[0])!r:.60} breaks its schema"))
        problems += [(None, f"{key} was sent and not given") for key in found]
        problems += [(None, f"{place} {name!r} was sent and is not known") for place, name in decoded.extra]
        return problems

    def _compare_body(self, operation, given, decoded):
        empty = given.body is ABSENT or (is_nothing(given.body) and not operation.body_required)
        if decoded.body is None:
            if empty or decoded.problems:
                return []
            return [(BODY, f"the body {given.body!r:.60} was not sent")]
        if given.body is ABSENT:
            sent = [typed(one) for one in decoded.body]
            is_empty = any(is_nothing(one) or one == b"" for one in sent)
            return [] if is_empty else [(BODY, "a body was sent and not given")]
        body = operation.bodies.get(decoded.media)
        exact = is_json(decoded.media)
        right = [one for one in decoded.body if same(given.body, one, exact=exact)]
        if not right:
            first = decoded.body[0] if decoded.body else None
            return [(BODY, f"body {difference(given.body, first, exact=exact)}")]
        if (
            exact
            and body is not None
            and not self.validators.accepts(body.schema, typed(right[0]), given.body)
        ):
            return [(BODY, f"body {_shown(right[0])!r:.90} breaks its schema")]
        return []

    def _excuses(self, operation, given):
        """Return what may keep each value from coming back, by the same keys as problems have."""
        found = {}
        sent = {_folded(key): value for key, value in given.fields.items()}
        for one in operation.fields:
            key = _folded((one.place, one.name))
            if key in sent:
                found[key] = reasons_for_field(operation, one, sent[key])
        for key in shared_names(self.decoder.schemas, operation, sent):
            found.setdefault(key, set()).add("free-name")
        if given.body is ABSENT or not operation.bodies:
            return found
        reasons = found.setdefault(BODY, set())
        if given.body is None:
            reasons.add("null-body")
        media = plain(given.media)
        body = operation.bodies.get(media)
        if body is None:
            return found
        if media.endswith(("/xml", "+xml")):
            reasons |= reasons_for_xml(self.decoder.schemas, body.schema, given.body)
        elif media.startswith("multipart/") or media == "application/x-www-form-urlencoded":
            reasons |= reasons_for_form(self.decoder.schemas, body, given.body)
        elif is_bytes(media) and not isinstance(given.body, str | bytes):
            reasons.add("no-structure")
        return found


def excused(problems, excuses):
    """Return the reasons that excuse an example: every problem needs one of its own value, if that is known.

    A refusal may come of any value, and so may what was sent without being given.
    """
    everything = set().union(*excuses.values()) if excuses else set()
    found = set()
    for where, _ in problems:
        own = everything if where is None else excuses.get(where, set())
        if not own:
            return set()
        found |= own
    return found


def declared_alone(schemas, schema, value, depth=0):
    """Leave out what XML has no type for: names that are not declared, and characters that it cannot hold."""
    if isinstance(value, dict):
        names = schemas.names(schema) if depth < DEPTH else ()
        return {
            name: declared_alone(schemas, schemas.property(schema, name), item, depth + 1)
            for name, item in value.items()
            if name in names
        }
    if isinstance(value, list):
        return [
            declared_alone(schemas, schemas.items(schema, n), item, depth + 1) for n, item in enumerate(value)
        ]
    return XML_TEXT.sub("x", value) if isinstance(value, str) else value


def is_bytes(media):
    """Whether a media type is neither text nor structured."""
    known = (
        media in LINES or media in TEXTS or is_json(media) or media.endswith(("/xml", "+xml", "urlencoded"))
    )
    return bool(media) and not known and not media.startswith(("text/", "multipart/"))


def settle_bytes(value, media):
    """Bytes inside JSON and the like can only be text there, and text is bytes where only those are sent."""
    media = plain(media)
    if isinstance(value, str) and is_bytes(media):
        return value.encode()
    if is_json(media) or media.endswith(("/xml", "+xml")) or media == "application/x-www-form-urlencoded":
        return as_text(value)
    return value


def _folded(key):
    place, name = key
    return (place, name.lower() if place == "header" else name)


def _shown(reading):
    if isinstance(reading, Text) and not hasattr(reading, "found"):
        return reading.text
    if isinstance(reading, dict):
        return {name: _shown(value) for name, value in reading.items()}
    return [_shown(item) for item in reading] if isinstance(reading, list) else typed(reading)
