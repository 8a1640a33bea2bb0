"""Failures in every common shape become one line that names the argument and what it must fit."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.errors import StatusError
from toolhaft.http.message import Response
from toolhaft.openapi.responses.failures import status_error
from toolhaft.openapi.responses.shapes import read_failure

PARAMETERS = [
    {"name": "page[size]", "in": "query", "schema": {"type": "integer", "maximum": 100}},
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
]
BODY = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "price": {"type": "number", "exclusiveMinimum": 0, "description": "Euros."},
                    "customerName": {"type": "string", "minLength": 1},
                    "address": {"$ref": "#/components/schemas/Address"},
                    "items": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
                    },
                },
            }
        }
    }
}
SCHEMAS = {
    "schemas": {
        "Address": {"type": "object", "properties": {"zip": {"type": "string", "pattern": "^[0-9]+$"}}}
    }
}


@pytest.fixture
def thing(built, document):
    operation = {"parameters": PARAMETERS, "requestBody": BODY}
    return built(document(operation, path="/things/{id}", method="post", components=SCHEMAS))


SHAPES = {
    "rfc9457": (
        {
            "type": "about:blank",
            "title": "Invalid",
            "detail": "No",
            "errors": [{"pointer": "#/price", "detail": "low"}],
        },
        "Invalid: No",
        [("price", "/price", "low")],
    ),
    "rfc7807": (
        {"title": "Bad", "invalid-params": [{"name": "limit", "reason": "too big"}]},
        "Bad",
        [("limit", "/limit", "too big")],
    ),
    "json-api-body": (
        {
            "errors": [
                {
                    "status": "422",
                    "title": "Invalid",
                    "detail": "no zip",
                    "source": {"pointer": "/data/attributes/address/zip"},
                }
            ]
        },
        "no zip",
        [("address", "/address/zip", "no zip")],
    ),
    "json-api-query": (
        {"errors": [{"detail": "too many", "source": {"parameter": "page[size]"}}]},
        "too many",
        [("page_size", "/page_size", "too many")],
    ),
    "google": (
        {
            "error": {
                "code": 400,
                "message": "Invalid value",
                "status": "INVALID_ARGUMENT",
                "details": [
                    {
                        "@type": "t/BadRequest",
                        "fieldViolations": [{"field": "customer_name", "description": "empty"}],
                    }
                ],
            }
        },
        "Invalid value",
        [("customerName", "/customerName", "empty")],
    ),
    "google-old": (
        {
            "error": {
                "message": "Bad limit",
                "errors": [{"message": "Bad limit", "location": "limit", "locationType": "parameter"}],
            }
        },
        "Bad limit",
        [("limit", "/limit", "Bad limit")],
    ),
    "aws": (
        {"__type": "com.aws#ValidationException", "Message": "1 error"},
        "ValidationException: 1 error",
        [],
    ),
    "graphql": (
        {"errors": [{"message": "Cannot query", "path": ["price"], "locations": [{"line": 1}]}]},
        "Cannot query",
        [("price", "/price", "Cannot query")],
    ),
    "stripe": (
        {"error": {"type": "invalid_request_error", "message": "Must be positive", "param": "price"}},
        "Must be positive",
        [("price", "/price", "Must be positive")],
    ),
    "spring": (
        {
            "status": 400,
            "error": "Bad Request",
            "message": "Failed",
            "path": "/x",
            "errors": [{"field": "price", "defaultMessage": "gt 0"}],
        },
        "Failed",
        [("price", "/price", "gt 0")],
    ),
    "fastapi": (
        {"detail": [{"loc": ["body", "items", 0, "sku"], "msg": "field required", "type": "missing"}]},
        "field required",
        [("items", "/items/0/sku", "field required")],
    ),
    "fastapi-query": (
        {"detail": [{"loc": ["query", "limit"], "msg": "not an int"}]},
        "not an int",
        [("limit", "/limit", "not an int")],
    ),
    "laravel": (
        {"message": "The given data was invalid.", "errors": {"customer_name": ["The name is required."]}},
        "The given data was invalid.",
        [("customerName", "/customerName", "The name is required.")],
    ),
    "aspnet": (
        {"title": "One or more", "errors": {"$.address.zip": ["bad"]}},
        "One or more",
        [("address", "/address/zip", "bad")],
    ),
    "django": (
        {"price": ["A number is required."], "id": ["unknown"]},
        "price: A number",
        [("price", "/price", "A number is required."), ("id", "/id", "unknown")],
    ),
    "django-detail": ({"detail": "Not found here."}, "Not found here.", []),
    "odata": (
        {
            "error": {
                "code": "Bad",
                "message": {"lang": "en", "value": "Wrong"},
                "details": [{"target": "price", "message": "low"}],
            }
        },
        "Wrong",
        [("price", "/price", "low")],
    ),
    "oauth": ({"error": "invalid_scope", "error_description": "No such scope"}, "No such scope", []),
    "ajv": (
        {"message": "invalid", "errors": [{"instancePath": "/items/0/sku", "message": "must be string"}]},
        "invalid",
        [("items", "/items/0/sku", "must be string")],
    ),
    "zod": (
        {"issues": [{"path": ["address", "zip"], "message": "Required"}]},
        "Required",
        [("address", "/address/zip", "Required")],
    ),
    "rails": ({"errors": ["Price must be positive", "x"]}, "Price must be positive; x", []),
    "quoted": (
        {"message": "Invalid value for parameter 'limit'"},
        "Invalid value",
        [("limit", "/limit", "")],
    ),
    "apigee": ({"fault": {"faultstring": "Quota", "detail": {"errorcode": "q"}}}, "Quota", []),
    "list": ([{"message": "first", "field": "price"}], "first", [("price", "/price", "first")]),
    "text": ("just words", "just words", []),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_become_repairs(thing, name):
    body, says, blamed = SHAPES[name]
    spec, wire = thing
    response = Response(
        status=422,
        url="http://x",
        headers=(("content-type", "application/json"),),
        body=json.dumps(body).encode(),
    )
    error = status_error(response, wire, where="thing", wants="", authorised=True, spec=spec)
    assert says in error.what
    found = [entry for entry in error.details.get("errors", []) if "argument" in entry]
    assert [(entry["argument"], entry["pointer"], entry["message"]) for entry in found] == blamed
    if blamed:
        assert error.hint.startswith("Change ")
        assert blamed[0][0] in error.hint
        assert "\n" not in error.hint
    assert not error.retryable


def test_the_hint_shows_what_the_argument_must_fit(thing):
    spec, wire = thing
    body = {
        "detail": [
            {"loc": ["body", "price"], "msg": "must be > 0"},
            {"loc": ["body", "address", "zip"], "msg": "no"},
        ]
    }
    response = Response(status=422, url="http://x", body=json.dumps(body).encode())
    error = status_error(response, wire, where="thing", wants="", authorised=True, spec=spec)
    assert "'price' (must be > 0; it must fit {" in error.hint
    assert "Euros" not in error.hint
    assert error.details["errors"][0]["schema"] == {"type": "number", "exclusiveMinimum": 0}
    assert error.details["errors"][1]["schema"]["pattern"] == "^[0-9]+$"


PAGES = [
    (
        "text/html",
        b"<html><head><title>502 Bad\nGateway</title></head><body><h1>x</h1></body></html>",
        "a web page: 502 Bad Gateway",
    ),
    ("text/html", b"<!doctype html><body><h1>Not <b>here</b></h1>", "a web page: Not here"),
    ("", b"<html><body>nothing to name it</body></html>", ""),
    ("application/xml", b"<Error><Code>NoSuchKey</Code><Message>Gone</Message></Error>", "NoSuchKey: Gone"),
    (
        "text/xml",
        b"<s:Envelope xmlns:s='u'><s:Body><s:Fault><faultcode>s:Client</faultcode>"
        b"<faultstring>Bad id</faultstring></s:Fault></s:Body></s:Envelope>",
        "Bad id",
    ),
    (
        "application/soap+xml",
        b"<e:Envelope xmlns:e='u'><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code>"
        b"<e:Reason><e:Text xml:lang='en'>No</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>",
        "No",
    ),
    ("text/plain", b"plain \x1b words\nsecond line", "plain words second line"),
    ("application/xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', ""),
    ("application/json", b"[" * 100_000, ""),
    ("application/octet-stream", b"\x00\x01\x02", ""),
    ("application/json", b'{"message": ' + b'"' + b"x" * 50_000 + b'"}', "x"),
    (
        "application/json",
        b'{"errors": {"a": {"b": {"c": [1, [2, {"d": null}]]}}}, "detail": [[], {}, 3], "error": []}',
        "",
    ),
]


@pytest.mark.parametrize(("media", "body", "says"), PAGES, ids=range(len(PAGES)))
def test_pages_and_other_texts_are_one_bounded_line(thing, media, body, says):
    spec, wire = thing
    response = Response(status=502, url="http://x", headers=(("content-type", media),), body=body)
    error = status_error(response, wire, where="thing", wants="", authorised=True, spec=spec)
    assert says in error.what
    assert "\n" not in error.what
    assert len(error.what) < 1300
    assert (error.retryable, error.effect) == (False, "uncertain")


def test_hostile_answers_stay_small():
    wide = {"errors": [{"field": f"f{n}", "message": "m" * 5000} for n in range(5000)]}
    found = read_failure(Response(status=400, url="http://x", body=json.dumps(wide).encode()))
    assert len(found.fields) == 8 or not found.fields
    assert all(len(problem.message) <= 200 for problem in found.fields)
    slow = b"<html>" + b"<title" * 50_000
    assert (
        read_failure(
            Response(status=400, url="http://x", headers=(("content-type", "text/html"),), body=slow)
        ).detail
        == ""
    )


@pytest.mark.anyio
async def test_a_call_says_what_to_change(api, tool_of):
    from toolhaft.tools.base import CallContext

    api.routes["/things/7"] = (400, {"errors": [{"pointer": "/price", "detail": "must be above 0"}]})
    tool = await tool_of(
        {"parameters": PARAMETERS, "requestBody": BODY},
        path="/things/{id}",
        method="post",
        components=SCHEMAS,
    )
    with pytest.raises(StatusError, match="Change 'price' \\(must be above 0; it must fit"):
        await tool.call({"id": "7", "price": -1}, CallContext())


NAMES = st.sampled_from(
    ["error", "errors", "detail", "message", "fault", "source", "loc", "field", "path", "param", "x"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=30)
    | st.sampled_from(["price", "/a/b", "items[0].sku"])
)
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(ANY)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_shape_raises_or_grows(thing, body):
    spec, wire = thing
    response = Response(status=400, url="http://x", body=json.dumps(body).encode())
    error = status_error(response, wire, where="thing", wants="", authorised=True, spec=spec)
    assert len(error.what) < 2500
    assert len(error.hint) < 1000
    assert len(json.dumps(error.details)) < 6000
    known = set(spec.properties)
    assert all(entry["argument"] in known for entry in error.details.get("errors", []) if "argument" in entry)
