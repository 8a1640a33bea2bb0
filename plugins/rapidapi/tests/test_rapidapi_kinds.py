"""RapidAPI's types as JSON Schema, and what is never shown of defaults."""

import pytest

from toolhaft.tools.schema import compile_schema
from toolhaft_rapidapi.kinds import parameter_schema
from toolhaft_rapidapi.record import Parameter
from toolhaft_rapidapi.redaction import is_credential, looks_secret, redact

RAPID = "a1b2c3d4e5" + "msh" + "0123456789abcde" + "p1" + "abcdef" + "jsn" + "0123456789ab"


def schema_of(kind, default="", name="value", required=False, options=()):
    parameter = Parameter(name=name, kind=kind, default=default, required=required, options=options)
    return parameter_schema(parameter, "/api_list/0")


@pytest.mark.parametrize(
    ("kind", "default", "wanted"),
    [
        ("STRING", "abc", {"type": "string", "default": "abc"}),
        ("string", "", {"type": "string"}),
        ("NUMBER", "10", {"type": "integer", "default": 10}),
        ("NUMBER", "1.5", {"type": "number", "default": 1.5}),
        ("NUMBER", "", {"type": "number"}),
        ("NUMBER", 7, {"type": "integer", "default": 7}),
        ("NUMBER", "nan", {"type": "number"}),
        ("BOOLEAN", "true", {"type": "boolean", "default": True}),
        ("BOOLEAN", False, {"type": "boolean", "default": False}),
        ("ENUM", "km", {"type": "string", "default": "km"}),
        ("ARRAY", '["a"]', {"type": "array", "items": {"type": "string"}, "default": ["a"]}),
        ("ARRAY", "[1, 2]", {"type": "array", "items": {"type": "number"}, "default": [1, 2]}),
        ("OBJECT", '{"a": 1}', {"type": "object", "default": {"a": 1}}),
        ("GEOPOINT (latitude, longitude)", "1,2", {"type": "string", "default": "1,2"}),
    ],
)
def test_types(kind, default, wanted):
    schema, problems = schema_of(kind, default)
    schema.pop("description", None)
    assert schema == wanted
    assert [problem.code for problem in problems] == (["default-mismatch"] if default == "nan" else [])


@pytest.mark.parametrize("name", ["lat", "minPrice", "radius_km"])
def test_what_is_no_whole_number_by_nature_is_a_number(name):
    assert schema_of("NUMBER", "48", name=name)[0] == {"type": "number", "default": 48}


def test_dates_and_times_say_how_they_are_written():
    assert schema_of("DATE (YYYY-MM-DD)", "2024-02-30x")[0]["format"] == "date"
    schema, _ = schema_of("TIME (24-hour HH:MM)", "23:59")
    check = compile_schema(schema)
    assert schema["default"] == "23:59"
    assert [check.is_valid(text) for text in ("00:00", "24:00", "7:30")] == [True, False, False]


def test_options_are_told_apart_as_json_tells_them():
    schema, _ = schema_of("ENUM", True, options=(1, 1.0, True, float("inf"), "1"))
    assert schema == {"enum": [1, True, "1"], "default": True}
    schema, problems = schema_of("ENUM", True, options=(1, 2))
    assert "default" not in schema
    assert problems[0].code == "default-mismatch"


def test_options_become_an_enumeration():
    schema, _ = schema_of("ENUM", "km", options=("km", "mi", "km"))
    assert schema == {"type": "string", "enum": ["km", "mi"], "default": "km"}


@pytest.mark.parametrize("kind", ["FLOAT64", None, 3, ["STRING"]])
def test_unknown_types_are_text_and_reported(kind):
    schema, problems = schema_of(kind, "x")
    assert schema == {"type": "string", "default": "x"}
    assert [(problem.code, problem.severity) for problem in problems] == [("type-unknown", "degraded")]


def test_a_required_parameter_has_its_default_as_an_example():
    assert schema_of("STRING", "Riga", required=True)[0] == {"type": "string", "examples": ["Riga"]}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("api_key", "1234"),
        ("apikey", "1234"),
        ("accessToken", "1234"),
        ("client-secret", "1234"),
        ("password", "1234"),
        ("Authorization", "1234"),
        ("key", "1234"),
        ("city", RAPID),
        ("q", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
        ("q", "AIza" + "SyA1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q"),
        ("q", "x7Kp2Qm9Zt4Rw8Lv3Ny6Hb1Jc5"),
        ("q", "Bearer abcdefghijklmnop1234"),
        ("q", "REDACTED_SECRET"),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_no_credential_is_shown(name, default, required):
    schema, problems = schema_of("STRING", default, name=name, required=required)
    assert schema == {"type": "string"}
    assert problems == []


@pytest.mark.parametrize(
    "text",
    [
        "keyword",
        "monkey",
        "tokyo",
        "search_key",
        "keywords",
        "sort_key",
        "nextToken",
        "page_token",
        "author",
        "secretary",
        "hotkeys_list",
    ],
)
def test_ordinary_names_are_no_credentials(text):
    assert not is_credential(text)


@pytest.mark.parametrize(
    "text",
    [
        "05e39f1c-2326-4e1b-9d3c-0a885e195f9a",
        "one-way-ticket-to-somewhere-2",
        "2023-10-10T00:00:00+0200",
        "id",
    ],
)
def test_ordinary_values_are_no_secrets(text):
    assert not looks_secret(text)


def test_descriptions_lose_keys_alone():
    assert redact(f"Use {RAPID} for tests") == "Use [redacted] for tests"
    assert redact("Use the key from your account") == "Use the key from your account"
