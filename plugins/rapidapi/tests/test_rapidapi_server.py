"""The virtual API server: ToolBench's contract, with every reply labelled."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from toolhaft import Agent, open_catalog
from toolhaft.errors import ConfigError, InvalidArgumentsError, ToolError
from toolhaft_rapidapi.cache import Answer, AnswerCache, Question
from toolhaft_rapidapi.server import VirtualServer
from toolhaft_rapidapi.statuses import NotWorkingError

from .tool_files import a_parameter, a_tool, an_api

pytestmark = pytest.mark.slow  # each test starts a server

CLIENT = httpx.Client(trust_env=False, verify=False)  # a client of its own for each call takes 20 ms
SHAPE = {"city": "str", "days": [{"date": "str", "summary": "str", "_list_length": 40}]}


@pytest.fixture
def path(tool_file):
    """Write a tool file of two APIs, one of which writes."""
    forecast = an_api(
        "Get Forecast",
        required=[a_parameter("city")],
        optional=[a_parameter("Max Days", "NUMBER")],
        template_response=SHAPE,
    )
    report = an_api("Report", "/reports", [a_parameter("text")], method="POST")
    return tool_file(a_tool(forecast, report))


@pytest.fixture
def ask(path, tmp_path):
    """Start a server with one kept answer, and return what posts to it."""
    kept = tmp_path / "kept.sqlite"
    with AnswerCache(kept) as cache:
        question = Question.of("Weather", "Sky Watch", "Get Forecast", {"city": "Riga"})
        cache.put(question, Answer(response={"city": "Riga", "kept": True}))
        broken = Question.of("Weather", "Sky Watch", "Get Forecast", {"city": "Nowhere"})
        cache.put(broken, Answer(error="API not working error..."))

    with VirtualServer(path, cache=kept, seed=3) as server:

        def post(tool_input, route="virtual", api="get_forecast", **fields):
            payload = {
                "category": "Weather",
                "tool_name": "sky_watch",
                "api_name": api,
                "tool_input": tool_input,
                "strip": "",
                "toolbench_key": "",
                **fields,
            }
            answer = CLIENT.post(f"{server.base_url}/{route}", json=payload)
            assert answer.status_code == 200
            reply = answer.json()
            assert answer.headers["x-toolhaft-provenance"] == reply["provenance"]
            return reply

        post.url = server.base_url
        yield post


@pytest.mark.parametrize("route", ["virtual", "rapidapi"])
@pytest.mark.parametrize("given", [{"city": "Riga"}, '{"city": "Riga"}'])
def test_a_kept_answer_comes_first_and_says_so(ask, route, given):
    assert ask(given, route) == {
        "error": "",
        "response": {"city": "Riga", "kept": True},
        "provenance": "cached",
    }


def test_the_rest_is_simulated_and_says_so(ask):
    reply = ask({"city": "Oslo", "max_days": "2"})
    assert (reply["error"], reply["provenance"], reply["response"]["city"]) == ("", "simulated", "Oslo")
    assert reply == ask('{"max_days": "2", "city": "Oslo"}')


@pytest.mark.parametrize(
    ("given", "fields", "error", "code", "said"),
    [
        ("{broken", {}, "Tool input parse error...", 2, "not JSON"),
        ("[1]", {}, "Tool input parse error...", 2, "not an object"),
        (7, {}, "Tool input parse error...", 2, "not an object"),
        ({}, {}, "Function executing get_forecast error...", 2, "'city' is missing"),
        ({"town": "x"}, {}, "Function executing get_forecast error...", 2, "no parameter 'town'"),
        (
            {"city": "x", "max_days": "many"},
            {},
            "Function executing get_forecast error...",
            2,
            "is no number",
        ),
        ({}, {"api_name": "get_forecasts"}, "API not working error...", 6, "nearest are get_forecast"),
        ({}, {"tool_name": "sky"}, "API not working error...", 6, "no tool 'sky'"),
        ({}, {"category": "Sports"}, "API not working error...", 6, "no category 'Sports'"),
        ({}, {"tool_name": 3}, "Tool input parse error...", 2, "are texts"),
        ({}, {"api_name": "x" * 400}, "Tool input parse error...", 2, "at most 300"),
        ({}, {"strip": "some"}, "Tool input parse error...", 2, "strip is one of"),
        ("x" * 300_000, {}, "Tool input parse error...", 2, "longer than 256000 bytes"),
        ("[" * 50_000, {}, "Tool input parse error...", 2, "not JSON"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_failures_have_the_contracts_text_and_a_reason(ask, given, fields, error, code, said):
    reply = ask(given, **fields)
    assert reply["error"].startswith(error)
    assert (reply["response"], reply["code"]) == ("", code)
    assert said in reply["detail"]


def test_truncation_keeps_json(ask):
    whole = ask({"city": "Lima"})["response"]
    assert len(json.dumps(whole)) > 2048
    for strip in ("truncate", "filter", "random"):
        reply = ask({"city": "Lima"}, strip=strip)
        assert reply["truncated"]
        assert len(json.dumps(reply["response"], separators=(",", ":"))) <= 2048
        assert reply["response"]["city"] == "Lima"


def test_old_clients_get_texts(path):
    with VirtualServer(path, compatible=True) as server:
        payload = {
            "category": "Weather",
            "tool_name": "sky_watch",
            "api_name": "report",
            "tool_input": {"text": "x"},
        }
        reply = CLIENT.post(f"{server.base_url}/virtual", json=payload).json()
    assert isinstance(reply["response"], str)
    assert isinstance(json.loads(reply["response"]), dict)


def test_names_of_other_sites_do_not_reach_it(ask):
    answer = CLIENT.get(ask.url, headers={"host": "evil.example.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example.com", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example.com", 403),
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8000", 200),
    ],
)
def test_pages_of_other_sites_may_not_ask(ask, origin, status):
    answer = CLIENT.post(f"{ask.url}/virtual", content=b"{}", headers={"origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("given", ['{"city": 1e999}', '{"city": NaN}'])
def test_numbers_that_json_does_not_have_are_refused(ask, given):
    assert "no number of JSON" in ask(given)["detail"]


def test_live_needs_the_key_from_the_start(path, monkeypatch):
    monkeypatch.delenv("RAPIDAPI_KEY", raising=False)
    with pytest.raises(ConfigError, match="RAPIDAPI_KEY is not set"):
        VirtualServer(path, live=True)


def test_a_full_disk_costs_no_answer(tool_file, upstream, tmp_path, monkeypatch):
    monkeypatch.setenv("RAPIDAPI_KEY", "0123456789abcdefKEY")
    body = json.dumps({"rain": 1, "text": "x" * 50_000}).encode()
    for city in ("Riga", "Oslo"):
        upstream.answers[f"/forecast/{city}"] = 200, {"content-type": "application/json"}, body
    api = {**an_api(required=[a_parameter("city")]), "url": f"{upstream.url}/forecast/{{city}}"}
    path = tool_file(a_tool(api))
    with VirtualServer(path, cache=tmp_path / "c.sqlite", live=True, allow_hosts=["127.0.0.1"]) as server:
        server._virtual.cache._file.execute("PRAGMA max_page_count = 8")
        payload = {"category": "Weather", "tool_name": "sky_watch", "api_name": "forecast"}
        for city in ("Riga", "Oslo"):
            reply = CLIENT.post(
                f"{server.base_url}/virtual", json={**payload, "tool_input": {"city": city}}
            ).json()
            assert (reply["error"], reply["provenance"], reply["response"]["rain"]) == ("", "live", 1)
            assert "could not be kept: cannot be written: database or disk is full" in reply["detail"]


def test_a_cache_that_is_damaged_while_it_serves_is_said(ask, tmp_path):
    with sqlite3.connect(tmp_path / "kept.sqlite") as file:
        file.execute("UPDATE answers SET response = '{broken'")
    file.close()
    reply = ask({"city": "Riga"})
    assert (reply["error"], reply["response"], reply["code"]) == ("Gateway error...", "", 12)
    assert "damaged" in reply["detail"]


def test_many_clients_get_what_each_asked_for(ask):
    with ThreadPoolExecutor(16) as pool:
        cities = [f"city {index}" for index in range(64)]
        replies = list(pool.map(lambda city: ask({"city": city}), cities))
    assert [reply["response"]["city"] for reply in replies] == cities


def test_a_catalog_asks_the_server_and_labels_what_comes_back(ask, path):
    with open_catalog(f"rapidapi:{path}", server=ask.url) as catalog:
        assert catalog.call_sync("sky_watch_get_forecast", city="Riga") == {"city": "Riga", "kept": True}
        oslo = catalog.call_sync("sky_watch_get_forecast", city="Oslo", Max_Days=2)
        assert oslo == ask({"city": "Oslo", "max_days": 2})["response"]
        with pytest.raises(NotWorkingError, match="API not working"):
            catalog.call_sync("sky_watch_get_forecast", city="Nowhere")
        request = catalog["sky_watch_get_forecast"].request({"city": "Riga"})
        assert catalog.spec("sky_watch_get_forecast").hosts == (ask.url,)
    assert request.url == f"{ask.url}/virtual"
    assert json.loads(request.body)["api_name"] == "get_forecast"


def test_a_server_that_a_catalog_file_names_is_not_trusted(ask, path, tmp_path):
    file = tmp_path / "sky.catalog"
    with open_catalog(f"rapidapi:{path}?server={ask.url}") as catalog:
        catalog.save(file)
    with open_catalog(file) as kept, pytest.raises(ToolError, match="private or reserved"):
        kept.call_sync("sky_watch_get_forecast", city="Riga")
    with open_catalog(file, allow_hosts="127.0.0.1") as kept:
        assert kept.call_sync("sky_watch_get_forecast", city="Riga")["kept"]


def test_a_live_api_behind_the_cache_is_asked_once(tool_file, upstream, tmp_path, monkeypatch):
    monkeypatch.setenv("RAPIDAPI_KEY", "0123456789abcdefKEY")
    upstream.answers["/forecast/Riga"] = 200, {"content-type": "application/json"}, b'{"rain": 1}'
    api = an_api(required=[a_parameter("city")])
    path = tool_file(a_tool({**api, "url": f"{upstream.url}/forecast/{{city}}"}))
    payload = {"category": "Weather", "tool_name": "sky_watch", "api_name": "forecast"}
    with VirtualServer(path, cache=tmp_path / "c.sqlite", live=True, allow_hosts=["127.0.0.1"]) as server:

        def post(city):
            body = {**payload, "tool_input": {"city": city}}
            return CLIENT.post(f"{server.base_url}/virtual", json=body).json()

        assert [post("Riga")["provenance"] for _ in range(2)] == ["live", "cached"]
        failed = post("Atlantis")
        assert failed["provenance"] == "simulated"
        assert "the live API failed" in failed["detail"]
    assert [line for _, line, *_ in upstream.seen] == ["/forecast/Riga", "/forecast/Atlantis"]


def test_observations_say_in_the_record_that_they_were_simulated(path):
    with open_catalog(f"rapidapi:{path}", virtual=True) as catalog:
        agent = Agent([catalog], model="heuristic", planner="react")
        run = agent.run_sync("Get the forecast for the city Riga.")
    assert run.trajectory.provenances == ("simulated",)
    assert "Riga" in run.answer


def test_in_process_answers_are_those_of_the_server_and_bad_input_is_typed(ask, path):
    with open_catalog(f"rapidapi:{path}?virtual&seed=3") as catalog:
        assert catalog.call_sync("sky_watch_get_forecast", city="Oslo") == ask({"city": "Oslo"})["response"]
        with pytest.raises(InvalidArgumentsError):
            catalog.call_sync("sky_watch_get_forecast", town="Oslo")


def test_of_apis_that_are_spelled_alike_the_one_that_the_input_fits_answers(tool_file):
    by_id = an_api("Get item", "/a", [a_parameter("id")], template_response={"by": "str", "id": "str"})
    by_name = an_api("get-item", "/b", [a_parameter("name")], template_response={"name": "str"})
    with VirtualServer(tool_file(a_tool(by_id, by_name))) as server:
        assert server.apis == 2
        payload = {"category": "Weather", "tool_name": "sky_watch", "api_name": "get_item"}
        for given, keys in (({"id": "7"}, {"by", "id"}), ({"name": "x"}, {"name"})):
            body = {**payload, "tool_input": given}
            reply = CLIENT.post(f"{server.base_url}/virtual", json=body).json()
            assert set(reply["response"]) == keys


def test_a_catalog_file_closes_the_cache_that_its_tools_use(path, tmp_path):
    file, kept = tmp_path / "sky.catalog", tmp_path / "kept.sqlite"
    AnswerCache(kept).close()
    with open_catalog(f"rapidapi:{path}") as catalog:
        catalog.save(file)
    with open_catalog(file, cache=kept) as catalog:
        catalog.call_sync("sky_watch_get_forecast", city="Riga")
    assert not list(tmp_path.glob("kept.sqlite-*"))
