"""Which model a reference stands for."""

import pytest

from toolhaft.errors import UnknownNameError
from toolhaft.models.resolve import OPENAI_MODEL, resolve
from toolhaft.settings import Settings, load_settings

KEY = {"OPENAI_API_KEY": "sk-1234567890"}
URL = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}
NAMED = {"TOOLHAFT_MODEL": "hf:models/small"}


@pytest.mark.parametrize(
    ("reference", "environment", "expected"),
    [
        ("openai:gpt-5", {**KEY, **URL, **NAMED}, "openai:gpt-5"),
        (" replay:run.jsonl ", {}, "replay:run.jsonl"),
        ("heuristic", KEY, "heuristic"),
        ("auto", {**KEY, **URL, **NAMED}, "hf:models/small"),
        ("", NAMED, "hf:models/small"),
        ("auto", {**KEY, **URL}, "http://127.0.0.1:8000/v1"),
        ("auto", URL, "http://127.0.0.1:8000/v1"),
        ("auto", KEY, f"openai:{OPENAI_MODEL}"),
        ("auto", {"TOOLHAFT_MODEL": "auto"}, "heuristic"),
        ("auto", {"OPENAI_API_KEY": ""}, "heuristic"),
        ("auto", {}, "heuristic"),
    ],
)
def test_order(reference, environment, expected):
    asked, warnings = [], []
    resolve(reference, asked.append, load_settings(environment), warnings.append)
    assert asked == [expected]
    told = expected == "heuristic" and reference != "heuristic"
    assert len(warnings) == told
    if told:
        assert "heuristic" in warnings[0]
        assert "\n" not in warnings[0]


def test_the_model_of_the_registry_is_returned():
    made = object()
    assert resolve("x:y", lambda _: made, Settings(), pytest.fail) is made


def test_an_unknown_name_stays_an_error():
    def unknown(reference):
        raise UnknownNameError("model", reference)

    with pytest.raises(UnknownNameError):
        resolve("nothing", unknown, Settings(), pytest.fail)
