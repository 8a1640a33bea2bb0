"""Calls of live APIs, against one on loopback."""

import json

import pytest

from toolhaft import open_catalog
from toolhaft.errors import ConfigError, EgressError
from toolhaft.secrets import SecretStore
from toolhaft.types import ErrorInfo, Observation
from toolhaft_rapidapi.statuses import ERRORS, TEXTS, StatusCode, code_of, code_of_text

from .tool_files import a_parameter, a_tool, an_api

pytestmark = pytest.mark.slow  # an API on loopback for most tests

KEY = "0123456789abcdefKEY"
JSON = {"content-type": "application/json"}


@pytest.fixture
def sky(tool_file, upstream):
    """Open a catalog whose one tool speaks to the API on loopback."""
    api = an_api(required=[a_parameter("city")])
    path = tool_file(a_tool({**api, "url": f"{upstream.url}/forecast/{{city}}"}))
    secrets = SecretStore({"rapid": KEY})
    with open_catalog(
        f"rapidapi:{path}", auth={"rapidapi": "memory:rapid"}, allow_hosts="127.0.0.1", secrets=secrets
    ) as catalog:
        yield catalog


def test_a_call_sends_key_and_host_and_returns_the_value(sky, upstream):
    upstream.answers["/forecast/Riga"] = 200, JSON, b'{"rain": true, "error": null}'
    assert sky.call_sync("sky_watch_forecast", city="Riga") == {"rain": True, "error": None}
    method, path, headers, _ = upstream.seen[0]
    assert (method, path) == ("GET", "/forecast/Riga")
    assert headers["x-rapidapi-key"] == KEY
    assert headers["x-rapidapi-host"] == upstream.url.removeprefix("http://")


def test_the_key_does_not_go_to_another_host(sky, upstream):
    other = upstream.url.replace("127.0.0.1", "localhost")
    upstream.answers["/forecast/Riga"] = 302, {"location": f"{other}/elsewhere"}, b""
    with pytest.raises(EgressError, match="not one that the tool may speak to"):
        sky.call_sync("sky_watch_forecast", city="Riga")
    assert len(upstream.seen) == 1


def test_a_host_that_is_not_rapidapis_gets_no_key_unless_it_is_named(tool_file):
    api = an_api(required=[a_parameter("city")])
    foreign = tool_file(a_tool({**api, "url": "https://collector.example.com/{city}"}), name="foreign.json")
    imitated = tool_file(a_tool({**api, "url": "http://sky.p.rapidapi.com/{city}"}), name="plain.json")
    own = tool_file(a_tool(api))
    for path, has_key in ((foreign, False), (imitated, False), (own, True)):
        with open_catalog(f"rapidapi:{path}") as catalog:
            request = catalog["sky_watch_forecast"].request({"city": "Riga"})
        assert bool(request.credentials) is has_key
        if has_key:
            assert str(request.credentials[0].secret) == "env:RAPIDAPI_KEY"
            assert request.credentials[0].origins == ("https://sky.p.rapidapi.com:443",)
    with open_catalog(f"rapidapi:{foreign}", allow_hosts="collector.example.com") as catalog:
        assert catalog["sky_watch_forecast"].request({"city": "Riga"}).credentials


def test_a_key_that_is_not_set_is_said_before_anything_is_sent(tool_file, upstream, monkeypatch):
    monkeypatch.delenv("RAPIDAPI_KEY", raising=False)
    api = {**an_api(), "url": f"{upstream.url}/x"}
    path = tool_file(a_tool(api))
    with (
        open_catalog(f"rapidapi:{path}", allow_hosts="127.0.0.1") as catalog,
        pytest.raises(ConfigError, match="RAPIDAPI_KEY is not set"),
    ):
        catalog.call_sync("sky_watch_forecast")
    assert upstream.seen == []


def said(message):
    return json.dumps({"message": message}).encode()


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (200, JSON, b'{"count": 500, "note": "404 error unauthorized"}', StatusCode.OK),
        (200, {"content-type": "text/plain"}, b"error 404", StatusCode.OK),
        (200, JSON, b'{"error": "no such city"}', StatusCode.ERROR_MESSAGE),
        (200, JSON, b'{"success": false, "message": "bad"}', StatusCode.ERROR_MESSAGE),
        (200, JSON, b'{"error": "x", "data": [1]}', StatusCode.OK),
        (200, JSON, b'{"statusCode": 404, "message": "none"}', StatusCode.ERROR_MESSAGE),
        (200, JSON, b'{"code": 404, "price": 500}', StatusCode.OK),
        (200, JSON, b'{"status": "ok", "message": "an error is a kind of bird"}', StatusCode.OK),
        (200, JSON, b"{broken", StatusCode.REQUEST_FAILED),
        (200, {"content-type": "text/html"}, b"<html>", StatusCode.REQUEST_FAILED),
        (401, JSON, b"{}", StatusCode.UNAUTHORISED),
        (403, JSON, said("You are not subscribed to this API."), StatusCode.NOT_SUBSCRIBED),
        (403, JSON, said("Forbidden"), StatusCode.UNAUTHORISED),
        (404, JSON, said("Endpoint '/x' does not exist"), StatusCode.NOT_WORKING),
        (418, JSON, b"{}", StatusCode.REQUEST_FAILED),
        (500, {}, b"", StatusCode.REQUEST_FAILED),
        (429, {**JSON, "x-ratelimit-requests-remaining": "0"}, b"{}", StatusCode.RATE_LIMIT),
        (429, JSON, b"{}", StatusCode.TOO_MANY_REQUESTS),
    ],
)
def test_answers_are_classified_by_status_and_structure(tool_file, upstream, status, headers, body, code):
    upstream.answers["/x"] = status, headers, body
    # A write is not tried again, so that no test waits.
    path = tool_file(a_tool({**an_api(method="POST"), "url": f"{upstream.url}/x"}))
    secrets = SecretStore({"rapid": KEY})
    with open_catalog(
        f"rapidapi:{path}", auth={"rapidapi": "memory:rapid"}, allow_hosts="127.0.0.1", secrets=secrets
    ) as catalog:
        if code is StatusCode.OK:
            assert catalog.call_sync("sky_watch_forecast") is not None
            return
        with pytest.raises(ERRORS[code]) as caught:
            catalog.call_sync("sky_watch_forecast")
    error = caught.value
    assert error.details["status_code"] == code
    info = ErrorInfo(code=error.code, what=error.what)
    assert code_of(Observation(call_id="1", tool="t", error=info)) == code


def test_the_codes_are_thirteen_and_each_failure_has_its_error():
    assert [int(code) for code in StatusCode] == list(range(13))
    failures = [code for code in StatusCode if code not in (0, 3, 4)]
    kinds = [ERRORS[code] for code in failures]
    assert None not in kinds
    assert len(set(kinds)) == len(kinds)
    assert (StatusCode.NOT_SUBSCRIBED, StatusCode.UNAUTHORISED) == (7, 8)


@pytest.mark.parametrize("code", list(TEXTS))
def test_texts_and_codes_match_both_ways(code):
    assert code_of_text(TEXTS[code]) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Function executing from_x error...\nmissing", StatusCode.INPUT_ERROR),
        ("Tool input parse error...\n", StatusCode.INPUT_ERROR),
        ("There was a 404 error in an API not working error...", StatusCode.REQUEST_FAILED),
    ],
)
def test_a_word_somewhere_in_a_text_decides_nothing(text, code):
    assert code_of_text(text) == code
