"""Tool files of every layout become the same tools."""

import gzip
import json

import pytest

from toolhaft import open_catalog

from .tool_files import a_parameter, a_tool, an_api

FORECAST = an_api(
    required=[a_parameter(default="Riga")],
    optional=[a_parameter("days", "NUMBER", "3"), a_parameter("api_key", default="abc")],
)
TOOL = a_tool(FORECAST)
FLAT = {
    "tool": "Sky Watch",
    "category": "Weather",
    "description": "Weather of the world",
    "apis": [{**{k: v for k, v in FORECAST.items() if k not in ("code", "convert_code")}, "id": "1"}],
}
QUERY = {
    "query": "Will it rain in Riga?",
    "query_id": 1,
    "api_list": [
        {
            "category_name": "Weather",
            "tool_name": "Sky Watch",
            "api_name": "Forecast",
            "api_description": FORECAST["description"],
            "required_parameters": FORECAST["required_parameters"],
            "optional_parameters": FORECAST["optional_parameters"],
            "method": "GET",
            "template_response": {"rain": "bool", "days": [{"date": "str", "_list_length": 2}]},
        }
    ],
    "relevant APIs": [["Sky Watch", "Forecast"]],
}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Weather/sky.json", json.dumps(TOOL)),
        ("Weather/sky.json.gz", json.dumps(TOOL)),
        ("Weather/list.json", json.dumps([TOOL])),
        ("tools.jsonl", json.dumps(FLAT) + "\n\n"),
        ("tools.jsonl.gz", json.dumps(FLAT)),
        ("raw.jsonl", json.dumps({"path": "Weather/sky.json", "tool": TOOL})),
        ("queries.json", json.dumps([QUERY, {**QUERY, "query_id": 2}])),
    ],
)
def test_every_layout_gives_the_same_tool(tmp_path, name, text):
    path = write(tmp_path / name, text)
    with open_catalog(f"rapidapi:{path}?virtual") as catalog:
        assert catalog.names == ("sky_watch_forecast",)
        assert str(catalog.report) == "1 imported, 0 degraded, 0 skipped"
        spec = catalog.spec("sky_watch_forecast")
    assert spec.required == ("city",)
    assert list(spec.properties) == ["city", "days", "api_key"]
    assert spec.properties["city"]["examples"] == ["Riga"]
    assert spec.properties["days"] == {"type": "integer", "default": 3}
    assert spec.properties["api_key"] == {"type": "string"}
    assert spec.metadata["category"] == "Weather"
    assert spec.effect == "read"
    assert spec.hosts == ()


def test_a_folder_is_read_whole_and_what_is_no_tool_is_noted(tool_file):
    tool_file(TOOL)
    path = tool_file(a_tool(an_api("Alerts", "/alerts"), name="Storms"), name="storms.json", category="Alarm")
    tool_file("{", name="broken.json")
    tool_file({"name": "package"}, name="other.json")
    with open_catalog(f"rapidapi:{path.parent.parent}") as catalog:
        assert sorted(catalog.names) == ["sky_watch_forecast", "storms_alerts"]
        warnings = "\n".join(catalog.report.warnings)
    assert "Weather/broken.json: not JSON" in warnings
    assert "Weather/other.json: there is no `api_list`" in warnings


def test_queries_give_every_api_once_and_the_fullest(tmp_path):
    poor = json.loads(json.dumps(QUERY))
    del poor["api_list"][0]["template_response"]
    for order in ([poor, QUERY], [QUERY, poor]):
        path = write(tmp_path / "queries.json", json.dumps(order))
        with open_catalog(f"rapidapi:{path}", virtual=True) as catalog:
            assert len(catalog) == 1
            assert catalog.spec("sky_watch_forecast").returns["properties"]["rain"] == {"type": "boolean"}


def test_an_api_without_an_address_is_degraded_for_live_calls_alone(tmp_path):
    path = write(tmp_path / "queries.json", json.dumps([QUERY]))
    with open_catalog(f"rapidapi:{path}") as live, open_catalog(f"rapidapi:{path}", virtual=True) as virtual:
        assert str(live.report) == "0 imported, 1 degraded, 0 skipped"
        assert "virtual=True or server=" in live.report.operations[0].reasons[0]
        assert str(virtual.report) == "1 imported, 0 degraded, 0 skipped"


@pytest.mark.parametrize(
    ("change", "code", "outcome"),
    [
        ({"name": ""}, "api-nameless", "skipped"),
        ({"method": "FETCH"}, "method-unknown", "skipped"),
        ({"required_parameters": [a_parameter(kind="FLOAT64")]}, "type-unknown", "degraded"),
        ({"required_parameters": []}, "path-parameter-undeclared", "imported"),
        ({"required_parameters": [a_parameter(), a_parameter()]}, "parameter-twice", "imported"),
        ({"optional_parameters": {"city": "x"}}, "parameters-malformed", "degraded"),
        ({"optional_parameters": [{"type": "STRING"}]}, "parameter-malformed", "degraded"),
        ({"optional_parameters": [a_parameter("n", "NUMBER", "many")]}, "default-mismatch", "imported"),
        ({"url": ""}, "address-missing", "degraded"),
    ],
)
def test_what_is_lost_is_reported_with_its_place(tool_file, change, code, outcome):
    path = tool_file(a_tool(FORECAST, {**FORECAST, "name": "Other", **change}))
    with open_catalog(f"rapidapi:{path}") as catalog:
        entry = catalog.report.operations[1]
    assert (entry.outcome, entry.pointer, entry.file) == (outcome, "/api_list/1", "sky_watch.json")
    assert [problem.code for problem in entry.problems] == [code]


def test_a_repeated_api_is_skipped_and_said(tool_file):
    path = tool_file(a_tool(FORECAST, FORECAST))
    with open_catalog(f"rapidapi:{path}") as catalog:
        assert len(catalog) == 1
        assert str(catalog.report) == "1 imported, 0 degraded, 1 skipped"


def test_settings_stand_behind_the_path_or_in_the_call(tool_file):
    path = tool_file(TOOL)
    with open_catalog(f"rapidapi:{path}?virtual&seed=7&naming=toolbench") as written:
        with open_catalog(f"rapidapi:{path}", virtual=True, seed=7, naming="toolbench") as given:
            assert written.names == given.names == ("forecast_for_sky_watch",)
            answers = [c.call_sync("forecast_for_sky_watch", city="Riga") for c in (written, given)]
        assert answers[0] == answers[1]
        assert written["forecast_for_sky_watch"].request({"city": "Riga"}) is None


def test_a_catalog_file_keeps_where_calls_go(tool_file, tmp_path):
    path = tool_file(TOOL)
    file = tmp_path / "sky.catalog"
    with open_catalog(f"rapidapi:{path}?virtual&seed=5") as catalog:
        catalog.save(file)
        answer = catalog.call_sync("sky_watch_forecast", city="Riga")
    with open_catalog(file) as kept:
        assert kept.call_sync("sky_watch_forecast", city="Riga") == answer
    with open_catalog(file, virtual=False) as live:
        spec = live.spec("sky_watch_forecast")
        request = live["sky_watch_forecast"].request({"city": "Riga"})
    assert spec.hosts == ("https://sky.p.rapidapi.com:443",)
    assert request.url == "https://sky.p.rapidapi.com/forecast/Riga"


def test_shapes_of_answers_may_lie_in_a_folder_of_their_own(tool_file, tmp_path):
    path = tool_file(a_tool(FORECAST, an_api("Alerts", "/alerts")))
    shapes = tmp_path / "response_examples" / "Weather"
    write(
        shapes / "sky_watch.json", json.dumps({"api_list": [{"name": "Alerts", "schema": {"level": "int"}}]})
    )
    with open_catalog(f"rapidapi:{path}", virtual=True, responses=shapes.parent) as catalog:
        assert list(catalog.call_sync("sky_watch_alerts")) == ["level"]
        assert catalog.spec("sky_watch_forecast").returns is None
