"""What a call would send: nothing that a model writes leaves its place."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft.errors import InvalidArgumentsError
from toolhaft_rapidapi.building import build
from toolhaft_rapidapi.importing import import_records
from toolhaft_rapidapi.reading import Reading
from toolhaft_rapidapi.record import APIRecord, Parameter
from toolhaft_rapidapi.tool import LiveTool

from .tool_files import a_parameter, a_tool, an_api


def live(url, *parameters, method="GET"):
    record = APIRecord(category="Data", tool="T", api="a", method=method, url=url, parameters=parameters)
    built = build(record, "t_a")
    return LiveTool(built.spec, built.wire, key=None, connect=lambda _hosts: None)


def parameter(name, kind="STRING", required=False):
    return Parameter(name=name, kind=kind, required=required)


SKY = "https://sky.p.rapidapi.com"


@pytest.mark.parametrize(
    ("url", "parameters", "arguments", "wanted"),
    [
        ("/v1/{id}/x", ["id"], {"id": "a/b"}, "/v1/a%2Fb/x"),
        ("/v1/{id}", ["id"], {"id": "?q=1#f"}, "/v1/%3Fq%3D1%23f"),
        ("/v1/{id}", ["id"], {"id": "ä €"}, "/v1/%C3%A4%20%E2%82%AC"),
        ("/v1/list?fixed=1&page=2", ["page"], {"page": "7"}, "/v1/list?fixed=1&page=7"),
        ("/v1/list?fixed=1&page=2", ["page"], {}, "/v1/list?fixed=1"),
        ("/v1/list?q={text}", ["text"], {"text": "a&b=c"}, "/v1/list?q=a%26b%3Dc"),
        ("", ["q"], {"q": "x"}, "/?q=x"),
        ("?a=1", [], {}, "/?a=1"),
    ],
)
def test_urls(url, parameters, arguments, wanted):
    tool = live(f"{SKY}{url}", *(parameter(name) for name in parameters))
    assert tool.request(arguments).url == f"{SKY}{wanted}"


def test_lists_and_objects_in_the_query():
    tool = live(f"{SKY}/x", parameter("ids", "ARRAY"), parameter("tags[]", "ARRAY"), parameter("o", "OBJECT"))
    request = tool.request({"ids": ["a", "b,c"], "tags": ["x", "y"], "o": {"k": [1]}})
    assert request.url == f"{SKY}/x?ids=a,b%2Cc&tags%5B%5D=x&tags%5B%5D=y&o=%7B%22k%22%3A%5B1%5D%7D"


def test_methods_with_a_body_send_json():
    tool = live(f"{SKY}/notes/{{id}}", parameter("id"), parameter("text"), method="POST")
    request = tool.request({"id": "7", "text": "hi"})
    assert (request.method, request.url, request.body) == ("POST", f"{SKY}/notes/7", b'{"text":"hi"}')
    assert (request.effect, request.repeatable) == ("write", False)


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800"])
def test_values_that_would_change_the_path_are_refused(value):
    with pytest.raises(InvalidArgumentsError):
        live(f"{SKY}/v1/{{id}}", parameter("id")).request({"id": value})


@pytest.mark.slow  # a hundred requests
@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_no_value_leaves_its_segment_or_pair(segment, value):
    tool = live(f"{SKY}/a/{{id}}/z?fixed=1", parameter("id"), parameter("q"))
    try:
        request = tool.request({"id": segment, "q": value})
    except InvalidArgumentsError:
        assert segment in (".", "..") or any("\ud800" <= c <= "\udfff" for c in segment + value)
        return
    parts = urlsplit(request.url)
    assert request.url.isascii()
    assert request.url.isprintable()
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "sky.p.rapidapi.com", "")
    before, middle, after = parts.path[1:].split("/")
    assert (before, unquote(middle), after) == ("a", segment, "z")
    assert middle not in (".", "..")
    assert parse_qsl(parts.query, keep_blank_values=True) == [("fixed", "1"), ("q", value)]


@pytest.mark.slow  # a hundred requests
@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_no_value_adds_a_header(value):
    tool = live(f"{SKY}/a", parameter("X-Client"))
    try:
        request = tool.request({"X-Client": value})
    except InvalidArgumentsError:
        return
    names = [name for name, _ in request.headers]
    assert names == ["accept", "X-Client", "X-RapidAPI-Host"]
    assert all("\r" not in text and "\n" not in text for pair in request.headers for text in pair)
    assert dict(request.headers)["X-Client"] == value


def test_key_and_host_are_no_arguments():
    file = a_tool(an_api(path="/x", required=[a_parameter("X-RapidAPI-Key"), a_parameter("X-RapidAPI-Host")]))
    api = file["api_list"][0]
    names = tuple(Parameter(name=each["name"], required=True) for each in api["required_parameters"])
    tool = live(api["url"], *names)
    assert tool.spec.properties == {}
    assert dict(tool.request({}).headers)["X-RapidAPI-Host"] == "sky.p.rapidapi.com"


def test_a_key_in_a_url_is_neither_shown_nor_sent():
    key = "kp1kHp5bk8gTrXx2MKx8"
    url = f"{SKY}/x?api_key={key}&lang=en&q={{text}}&sig=x7Kp2Qm9Zt4Rw8Lv3Ny6Hb1Jc5"
    record = APIRecord(category="Data", tool="T", api="a", url=url, parameters=(parameter("text"),))
    built = build(record, "t_a")
    tool = LiveTool(built.spec, built.wire, key=None, connect=lambda _hosts: None)
    assert tool.request({"text": "x"}).url == f"{SKY}/x?lang=en&q=x"
    assert tool.request({"api_key": "mine"}).url == f"{SKY}/x?lang=en&api_key=mine"
    assert [problem.code for problem in built.problems] == ["url-credential"] * 2
    report = import_records(Reading(records=[record])).report
    for shown in (repr(tool.spec), repr(tool.wire), repr(report.to_dict())):
        assert key not in shown
        assert "x7Kp2Qm9" not in shown
