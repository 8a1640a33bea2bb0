"""No arguments make a service fail: it answers, or refuses and changes nothing."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.world.contract import RawRequest, contracts
from toolhaft.world.documents import read_document, service_names
from toolhaft.world.problem import RequestProblem
from toolhaft.world.server import World
from toolhaft.world.store import Store

pytestmark = pytest.mark.slow  # many requests to every operation

SERVICES = service_names()
CONTRACTS = [(name, contract) for name in SERVICES for contract in contracts(read_document(name))]
COMPONENTS = {name: read_document(name)["components"]["schemas"] for name in SERVICES}
STORE: Store = World().store
# Values of every shape that some argument wants, its edges, and nonsense.
KNOWN_WORDS = """
plc-oslo-no plc-paris-fr plc-x OSL LIS ZZZ MR1120-20260619 MR100-00000000 MR9999-20260619 htl-rue-claire htl-x
BK-2001 BK-2002 BK-0 ORD-1001 ORD-1003 prd-101 prd-106 prd-999 EVT-501 TODO-71 CON-11 SUB-301 CS40021877 NO XX
a@example.org WELCOME10 %00
"""
KNOWN = KNOWN_WORDS.split()
DAYS = st.sampled_from(["2026-06-03", "2026-06-14", "2027-02-29", "0000-01-01", "0001-01-01", "9999-12-31"])
TIMES = st.sampled_from(["2026-06-03T14:30", "2026-06-03T29:59", "0000-01-01T00:00", "9999-12-31T23:59"])
TEXTS = st.sampled_from(KNOWN) | st.text(max_size=20)
VALUES = TEXTS | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(TEXTS, max_size=2)


def fields_of(value, found):
    """Collect the values of every field of a state, for arguments of the same name."""
    items = value.items() if isinstance(value, dict) else ()
    for name, inner in items:
        if isinstance(inner, str | int | float | bool):
            found.setdefault(name, set()).add(inner)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        fields_of(inner, found)
    return found


BY_NAME = {
    service: {name: sorted(values, key=str)[:40] for name, values in fields_of(state, {}).items()}
    for service, state in STORE.state("fuzz").items()
    if isinstance(state, dict)
}


def fitting(schema, components, depth=0, known=()):
    """Return a strategy that mostly keeps a schema's types and often breaks its limits.

    ``known`` are values that the world holds under this name.
    """
    if known:
        return st.sampled_from(known) | fitting(schema, components, depth)
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind, pattern = schema.get("type"), schema.get("pattern", "")
    if kind == "object" and depth < 4:
        members = schema.get("properties", {}).items()
        inner = {name: fitting(value, components, depth + 1) for name, value in members}
        return st.fixed_dictionaries(inner) | st.fixed_dictionaries({}, optional=inner)
    if kind == "array":
        return st.lists(fitting(schema["items"], components, depth + 1), max_size=3)
    if kind == "integer":
        return st.integers(-1, 30) | st.integers()
    if kind == "number":
        return st.floats() | st.integers()
    if kind != "string":
        return VALUES
    if schema.get("format") == "date":
        return DAYS
    if "T[0-2]" in pattern:
        return TIMES
    known = [text for text in KNOWN if pattern and re.fullmatch(pattern, text)]
    return st.sampled_from(known) if known else TEXTS


def sent(value, parameter):
    """Return the texts that stand for a value in a request."""
    if isinstance(value, list):
        texts = [str(item) for item in value]
        return texts if parameter.explode else [",".join(texts)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


@pytest.mark.parametrize(("service", "contract"), CONTRACTS, ids=[contract.id for _, contract in CONTRACTS])
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(data=st.data())
def test_no_arguments_break_an_operation(service, contract, data):
    STORE.reset("fuzz")
    components = COMPONENTS[service]
    places: dict[str, list[tuple[str, str]]] = {"path": [], "query": [], "header": []}
    for parameter in contract.parameters:
        if parameter.place == "path" or parameter.required or data.draw(st.booleans()):
            known = BY_NAME[service].get(parameter.name, ())
            value = data.draw(fitting(parameter.schema, components, known=known))
            places[parameter.place] += [(parameter.name, text) for text in sent(value, parameter)]
    body = b""
    if contract.media_type:
        members = contract.body_schema["properties"].items()
        inner = {
            name: fitting(schema, components, 1, BY_NAME[service].get(name, ())) for name, schema in members
        }
        value = data.draw(st.fixed_dictionaries({}, optional=inner) | st.fixed_dictionaries(inner))
        if "json" in contract.media_type:
            body = json.dumps(value).encode()
        else:
            body = "&".join(f"{name}={text}" for name, text in value.items()).encode()
    raw = RawRequest(
        path=dict(places["path"]),
        query=places["query"],
        headers={
            "content-type": contract.media_type,
            **{name.lower(): text for name, text in places["header"]},
        },
        body=body,
    )
    before = STORE.state("fuzz")
    refusal = None
    try:
        STORE.perform("fuzz", service, contract, raw)
    except RequestProblem as problem:
        refusal = problem
    if refusal is not None:
        assert 400 <= refusal.status < 500
        assert STORE.state("fuzz") == before
