"""Whether a file of rules makes sense, before anything is done by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolhaft.world.changes import ROWS, tokens
from toolhaft.world.conditions import OPERATORS
from toolhaft.world.contract import Contract
from toolhaft.world.listing import KEYS as LIST_KEYS
from toolhaft.world.place import Place
from toolhaft.world.scope import REFERENCE, RESERVED, references
from toolhaft.world.templates import calculation

_TOP = frozenset({"collections", "limit", "operations", "last_id"})
_COLLECTION = frozenset({"key", "prefix", "noun"})
_RULE = frozenset({"find", "require", "change", "answer"})
_FIND = frozenset({"in", "key", "where", "as", "when", "optional", "status", "detail"})
_REQUIRE = frozenset({"that", "when", "status", "detail"}) | OPERATORS
_CONDITION = frozenset({"that"}) | OPERATORS
_SEARCH = frozenset({"text", "fields"})


def check_rules(rules: Any, data: Any, contracts: Sequence[Contract], *, file: str, data_file: str) -> None:
    """Raise unless rules, data and document fit together.

    Raises:
        FormatError: They do not; the message names the file, where in it, and what would be known.
    """
    place = Place(file)
    rules = place.mapping(rules, _TOP)
    if "operations" not in rules:
        raise place.refuse("there are no operations")
    collections = _check_collections(rules.get("collections", {}), place / "collections")
    last_id = rules.get("last_id", 900)
    if type(last_id) is not int or last_id < 0:
        raise (place / "last_id").refuse(f"not a number to count from: {last_id!r:.40}")
    _check_limit(rules.get("limit"), place / "limit")
    operations = (place / "operations").mapping(rules["operations"])
    _check_coverage(operations, contracts, place / "operations")
    fields = _check_data(data, collections, last_id, Place(data_file or "data"))
    for rule in operations.values():
        _add_fields(rule, fields)
    for contract in contracts if rules.get("limit") else ():
        if contract.method == "GET" and not {"429", "4XX", "default"} & set(contract.responses):
            raise (place / "limit").refuse(f"the document does not say that {contract.id} may answer 429")
    for contract in contracts:
        _OperationCheck(contract, fields).check(operations[contract.id], place / "operations" / contract.id)


def _check_collections(value: Any, place: Place) -> dict[str, dict[str, Any]]:
    found = place.mapping(value)
    for name, row in found.items():
        if name in RESERVED or name == "last_id" or "/" in name:
            raise (place / name).refuse(f"a collection cannot be named {name!r}")
        row = (place / name).mapping(row, _COLLECTION)
        if "key" not in row:
            raise (place / name).refuse("the field that is the key is missing")
        for key in row:
            (place / name / key).text(row[key])
    return found


def _check_limit(value: Any, place: Place) -> None:
    if value is None:
        return
    limit = place.mapping(value, ("calls", "seconds"))
    for name in ("calls", "seconds"):
        given = limit.get(name)
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 1_000_000:
            raise (place / name).refuse(f"not a number above 0: {given!r:.40}")
    if not isinstance(limit["calls"], int):
        raise (place / "calls").refuse("not a whole number")


def _check_coverage(operations: Mapping[str, Any], contracts: Sequence[Contract], place: Place) -> None:
    documented = {contract.id for contract in contracts}
    for name in operations:
        if name not in documented:
            raise (place / name).unknown("operation", name, documented)
    if missing := sorted(documented - set(operations)):
        raise place.refuse(
            f"there is no rule for {', '.join(missing[:5])}", hint="Each operation of the document needs one"
        )


def _check_data(
    value: Any, collections: Mapping[str, dict[str, Any]], last_id: int, place: Place
) -> dict[str, set[str]]:
    """Return the fields that records of each collection have."""
    data = place.mapping({} if value is None else value)
    fields: dict[str, set[str]] = {name: {row["key"]} for name, row in collections.items()}
    for name, rows in data.items():
        if name not in collections:
            raise (place / name).unknown("collection", name, collections)
        key, prefix, seen = collections[name]["key"], collections[name].get("prefix", ""), set()
        for position, row in enumerate((place / name).rows([] if rows is None else rows)):
            where = place / name / position
            identifier = (where / key).text(where.mapping(row).get(key))
            if identifier in seen:
                raise where.refuse(f"two records have the {key} {identifier!r}")
            number = identifier.removeprefix(f"{prefix}-")
            if prefix and number.isascii() and number.isdecimal() and int(number) > last_id:
                raise where.refuse(
                    f"{identifier} may be given to a new record",
                    hint=f"New records are counted from {last_id + 1} on: use lower numbers, or last_id",
                )
            seen.add(identifier)
            fields[name].update(row)
    return fields


def _add_fields(rule: Any, fields: dict[str, set[str]]) -> None:
    """Add the fields that changes give to records."""
    rows = rule.get("change") if isinstance(rule, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        target = next((row[kind] for kind in ROWS if isinstance(row.get(kind), str)), "")
        parts = tokens(target)
        if not parts or parts[0] not in fields:
            continue
        given = row.get("values") if "values" in row else row.get("value") if "insert" in row else None
        if isinstance(given, dict):
            fields[parts[0]].update(given)
        if "set" in row and len(parts) > 2:
            fields[parts[0]].add(parts[2])


class _OperationCheck:
    """Checks one operation's rule; knows which names its references may use."""

    def __init__(self, contract: Contract, fields: Mapping[str, set[str]]) -> None:
        self.contract = contract
        self.fields = fields
        self.arguments = set(contract.argument_names)
        self.records: dict[str, str] = {}

    def check(self, value: Any, place: Place) -> None:
        rule = place.mapping({} if value is None else value, _RULE)
        for name in ("find", "require", "change"):
            check = getattr(self, f"check_{name}")
            for position, row in enumerate((place / name).rows(rule.get(name, []))):
                check(row, place / name / position)
        if rule.get("change") and self.contract.method == "GET":
            raise (place / "change").refuse("a GET changes nothing")
        if self.contract.status == 204:
            if "answer" in rule:
                raise (place / "answer").refuse("the document says that there is no answer (204)")
            return
        if "answer" not in rule:
            raise place.refuse("there is no answer")
        self.check_answer(rule["answer"], place / "answer")

    def check_find(self, value: Any, place: Place) -> None:
        row = place.mapping(value, _FIND)
        source = (place / "in").text(row.get("in"))
        if ("key" in row) == ("where" in row):
            raise place.refuse("neither key nor where, or both")
        if "${" not in source or "key" in row:
            self.check_collection(source, place / "in")
        self.check_template(source, place / "in")
        if "key" in row:
            self.check_template(row["key"], place / "key")
        else:
            self.check_where(row["where"], source, place / "where")
        self.check_conditions(row.get("when", []), place / "when")
        name = (place / "as").text(row.get("as"))
        self.bind(name, source, place / "as")
        self.check_refusal(row, place, 404)

    def check_require(self, value: Any, place: Place) -> None:
        row = place.mapping(value, _REQUIRE)
        self.check_comparison(row, place)
        self.check_conditions(row.get("when", []), place / "when")
        (place / "detail").text(row.get("detail"))
        self.check_refusal(row, place, 409)

    def check_refusal(self, row: Mapping[str, Any], place: Place, usual: int) -> None:
        status = row.get("status", usual)
        if type(status) is not int or not 400 <= status < 500:
            raise (place / "status").refuse(f"not a status from 400 to 499: {status!r:.40}")
        if not row.get("optional") and not {str(status), "4XX", "default"} & set(self.contract.responses):
            raise (place / "status").refuse(f"the document does not say that this may be refused by {status}")
        if "detail" in row:
            self.check_template((place / "detail").text(row["detail"]), place / "detail")

    def check_conditions(self, value: Any, place: Place) -> None:
        for position, row in enumerate(place.rows(value)):
            self.check_comparison((place / position).mapping(row, _CONDITION), place / position)

    def check_comparison(self, row: Mapping[str, Any], place: Place) -> None:
        if "that" not in row:
            raise place.refuse("it does not say what is compared: that")
        self.check_template(row["that"], place / "that")
        self.check_operands({name: row[name] for name in row if name in OPERATORS}, place)

    def check_operands(self, comparisons: Mapping[str, Any], place: Place) -> None:
        if not set(comparisons) - {"is"}:
            raise place.refuse("there is no comparison", hint=f"Known: {', '.join(sorted(OPERATORS))}")
        for name, operand in comparisons.items():
            self.check_operand(name, operand, place / name)

    def check_operand(self, operator: str, operand: Any, place: Place) -> None:
        if operator in ("one_of", "none_of") and not isinstance(operand, list | str):
            raise place.refuse("not a list of choices")
        if operator == "is" and not (isinstance(operand, bool) or REFERENCE.fullmatch(str(operand))):
            raise place.refuse("neither a reference nor true or false")
        self.check_template(operand, place)

    def check_change(self, value: Any, place: Place) -> None:
        row = place.mapping(value)
        kinds = [kind for kind in ROWS if kind in row]
        if len(kinds) != 1:
            raise place.refuse("not a change", hint=f"One of {', '.join(ROWS)}")
        (kind,) = kinds
        needed, optional = ROWS[kind]
        place.mapping(row, {kind, "when"} | needed | optional)
        for name in needed:
            if name not in row:
                raise place.refuse(f"{kind} needs {name}")
        self.check_conditions(row.get("when", []), place / "when")
        target = (place / kind).text(row[kind])
        source = target if kind == "insert" else self.check_target(kind, target, place / kind)
        if kind == "insert":
            self.check_collection(target, place / kind)
            (place / "value").mapping(row["value"])
        if "values" in row:
            (place / "values").mapping(row["values"])
        for name in ("value", "values"):
            if name in row:
                self.check_template(row[name], place / name)
        if "where" in row:
            self.check_where(row["where"], source, place / "where")
        if "as" in row:
            self.bind((place / "as").text(row["as"]), target, place / "as")

    def check_target(self, kind: str, target: str, place: Place) -> str:
        """Check a pointer that is changed; return the collection if it names one whole."""
        if not target.startswith("/"):
            raise place.refuse("a pointer begins with /")
        self.check_template(target, place)
        parts = tokens(target)
        if not parts or parts[0] not in self.fields:
            raise place.unknown("collection", parts[0] if parts else target, self.fields)
        if kind != "update" and len(parts) == 1 and kind != "remove":
            raise place.refuse("a pointer to a record, or into one, is needed")
        field = parts[2] if len(parts) > 2 else ""
        if field and kind != "set" and "${" not in field and not field.startswith("["):
            self.check_field(parts[0], field, place)
        return parts[0] if len(parts) == 1 else ""

    def check_answer(self, value: Any, place: Place) -> None:
        if not isinstance(value, dict) or "list" not in value:
            self.check_template(value, place)
            return
        template = place.mapping(value, LIST_KEYS)
        source = (place / "list").text(template["list"])
        if "as" in template or "${" in source:
            (place / "as").text(template.get("as"))
        if "${" in source:
            self.check_template(source, place / "list")
        else:
            self.check_collection(source, place / "list")
        self.check_where(template.get("where", {}), source, place / "where")
        if "search" in template:
            search = (place / "search").mapping(template["search"], _SEARCH)
            self.check_template(
                (place / "search" / "text").text(search.get("text")), place / "search" / "text"
            )
            self.check_fields(search.get("fields"), source, place / "search" / "fields")
        self.check_sort(template.get("sort", []), source, place / "sort")
        if "fields" in template:
            self.check_fields(template["fields"], source, place / "fields")
        if "each" in template:
            self.bind("item", source, place / "each", reserved=False)
            self.check_template(template["each"], place / "each")
        self.check_template(template.get("limit"), place / "limit")
        if template.get("page") and not {"page_size", "cursor"} <= self.arguments:
            raise (place / "page").refuse("the operation has no parameters page_size and cursor")

    def check_sort(self, value: Any, source: str, place: Place) -> None:
        if isinstance(value, dict):
            sort = place.mapping(value, ("by", "orders"))
            self.check_template((place / "by").text(sort.get("by")), place / "by")
            for name, order in (place / "orders").mapping(sort.get("orders")).items():
                self.check_sort(order, source, place / "orders" / name)
            return
        order = [value] if isinstance(value, str) else value
        self.check_fields(order, source, place, downwards=True)

    def check_fields(self, value: Any, source: str, place: Place, *, downwards: bool = False) -> None:
        for position, name in enumerate(place.rows(value)):
            text = (place / position).text(name)
            self.check_field(source, text.removeprefix("-") if downwards else text, place / position)

    def check_where(self, value: Any, source: str, place: Place) -> None:
        for name, wanted in place.mapping(value).items():
            self.check_field(source, name, place / name)
            if isinstance(wanted, dict) and set(wanted) & OPERATORS:
                (place / name).mapping(wanted, OPERATORS)
                self.check_operands(wanted, place / name)
            else:
                self.check_template(wanted, place / name)

    def check_field(self, source: str, pointer: str, place: Place) -> None:
        known = self.fields.get(source)
        first = pointer.lstrip("/").split("/")[0]
        if known and not first.startswith("[") and first not in known:
            raise place.unknown(f"field of {source}", first, known)

    def check_collection(self, name: str, place: Place) -> None:
        if name not in self.fields:
            raise place.unknown("collection", name, self.fields)

    def bind(self, name: str, source: str, place: Place, *, reserved: bool = True) -> None:
        if name in self.arguments or (reserved and name in RESERVED):
            raise place.refuse(f"{name!r} is the name of something else", hint="Choose another name for it")
        self.records[name] = source

    def check_template(self, template: Any, place: Place) -> None:
        """Check the references and calculations of a template."""
        if isinstance(template, str):
            if template.count("${") != len(REFERENCE.findall(template)):
                raise place.refuse(
                    f"not a reference: {template[:80]!r}", hint="Write ${name} or ${name/pointer}"
                )
            for name, pointer in references(template):
                self.check_reference(name, pointer, place)
            return
        kind = calculation(template)
        if kind in ("sum", "count"):
            source = (place / kind).text(template["of"] if kind == "sum" else template[kind])
            if "${" not in source:
                self.check_collection(source, place / kind)
            if kind == "sum":
                self.check_field(source, (place / kind).text(template["sum"]), place / kind)
            self.check_where(template.get("where", {}), source, place / "where")
            return
        if isinstance(template, Mapping):
            for name, part in template.items():
                self.check_template(part, place / name)
        elif isinstance(template, list):
            for position, part in enumerate(template):
                self.check_template(part, place / position)

    def check_reference(self, name: str, pointer: str, place: Place) -> None:
        if name == "today":
            if pointer:
                raise place.refuse("today has no parts")
        elif name == "state":
            first = pointer.lstrip("/").split("/")[0]
            self.check_collection(first, place)
        elif name in self.records:
            source = self.records[name]
            if pointer and source in self.fields:
                self.check_field(source, pointer, place)
        elif name not in self.arguments:
            raise place.unknown("name", name, {*self.arguments, *self.records, "today", "state"})
