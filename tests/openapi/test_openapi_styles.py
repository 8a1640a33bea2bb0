"""Parameters on the wire: every style of every place, and what may never leave its place."""

import pytest

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.request import build_request

LIST, MAP = ["blue", "black"], {"R": 100, "G": 200}


@pytest.fixture
def sent(built, document):
    """Return the request of one parameter with a value."""

    def make(value, place="query", *, path=None, version="3.1.1", name="color", **fields):
        fields = {"schema": {}, **fields}
        if "content" in fields:
            del fields["schema"]
        one = {"name": name, "in": place, "required": place == "path", **fields}
        path = path or ("/s/{color}" if place == "path" else "/s")
        _, wire = built(document({"parameters": [one]}, path=path, version=version))
        return build_request(wire, {wire.parameters[0].key: value})

    return make


def tail(request):
    return request.url.removeprefix("https://api.example.com/v1/s").lstrip("/")


PATHS = {
    ("simple", False): ("blue", "blue,black", "R,100,G,200"),
    ("simple", True): ("blue", "blue,black", "R=100,G=200"),
    ("label", False): (".blue", ".blue,black", ".R,100,G,200"),
    ("label", True): (".blue", ".blue.black", ".R=100.G=200"),
    ("matrix", False): (";color=blue", ";color=blue,black", ";color=R,100,G,200"),
    ("matrix", True): (";color=blue", ";color=blue;color=black", ";R=100;G=200"),
}


@pytest.mark.parametrize(("style", "explode"), PATHS)
def test_path_styles(sent, style, explode):
    for value, expected in zip(("blue", LIST, MAP), PATHS[style, explode], strict=True):
        assert tail(sent(value, "path", style=style, explode=explode)) == expected


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3"])
def test_labels_of_old_versions_are_separated_by_dots(sent, version):
    fields = {"style": "label", "explode": False, "version": version}
    assert tail(sent(LIST, "path", **fields)) == ".blue.black"
    assert tail(sent(MAP, "path", **fields)) == ".R.100.G.200"
    assert tail(sent(LIST, "path", style="label", explode=False, version="3.0.4")) == ".blue,black"


QUERIES = [
    ("form", True, "blue", "color=blue"),
    ("form", True, LIST, "color=blue&color=black"),
    ("form", True, MAP, "R=100&G=200"),
    ("form", False, LIST, "color=blue,black"),
    ("form", False, MAP, "color=R,100,G,200"),
    ("form", False, ["a,b", "c"], "color=a%2Cb,c"),
    ("spaceDelimited", False, LIST, "color=blue%20black"),
    ("spaceDelimited", False, MAP, "color=R%20100%20G%20200"),
    ("spaceDelimited", True, LIST, "color=blue&color=black"),
    ("pipeDelimited", False, LIST, "color=blue%7Cblack"),
    ("pipeDelimited", False, MAP, "color=R%7C100%7CG%7C200"),
    ("deepObject", True, MAP, "color%5BR%5D=100&color%5BG%5D=200"),
    ("deepObject", False, {"a": {"b": 1}}, "color%5Ba%5D%5Bb%5D=1"),
    ("deepObject", True, {"a": ["x", {"y": 1}]}, "color%5Ba%5D%5B0%5D=x&color%5Ba%5D%5B1%5D%5By%5D=1"),
    ("deepObject", True, LIST, "color%5B0%5D=blue&color%5B1%5D=black"),
    ("deepObject", True, {"a": None, "b": []}, ""),
    ("form", True, None, ""),
    ("form", True, [], ""),
    ("form", True, {}, ""),
    ("form", False, [], ""),
    ("form", True, "", "color="),
    ("form", True, ["a", None], "color=a"),
    ("form", True, False, "color=false"),
    ("form", True, 2.0, "color=2"),
    ("form", True, 1.5, "color=1.5"),
    ("form", True, [[1, 2]], "color=%5B1%2C2%5D"),
    ("form", True, {"R": [1, 2]}, "R=%5B1%2C2%5D"),
    ("form", True, "a b+c~d", "color=a%20b%2Bc~d"),
]


@pytest.mark.parametrize(("style", "explode", "value", "expected"), QUERIES)
def test_query_styles(sent, style, explode, value, expected):
    assert sent(value, style=style, explode=explode).url.partition("?")[2] == expected


def test_defaults_are_those_of_the_place(sent):
    assert tail(sent(MAP, "path")) == "R,100,G,200"
    assert tail(sent(MAP)) == "?R=100&G=200"
    assert dict(sent(MAP, "header", name="X-C").headers)["X-C"] == "R,100,G,200"
    assert dict(sent(LIST, "cookie").headers)["cookie"] == "color=blue; color=black"
    assert tail(sent(LIST, style="pipeDelimited")) == "?color=blue%7Cblack"


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("indices", "c%5Ba%5D%5B0%5D=1&c%5Ba%5D%5B1%5D=2"),
        ("brackets", "c%5Ba%5D%5B%5D=1&c%5Ba%5D%5B%5D=2"),
        ("repeat", "c%5Ba%5D=1&c%5Ba%5D=2"),
    ],
)
def test_lists_inside_deep_objects_are_written_as_the_caller_says(imported, document, lists, expected):
    operation = {"parameters": [{"name": "c", "in": "query", "style": "deepObject", "schema": {}}]}
    _, wire = imported(document(operation), deep_lists=lists).build("thing")
    assert build_request(wire, {"c": {"a": [1, 2]}}).url.endswith(f"?{expected}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [([], "color="), ({}, "color="), (None, ""), ("", "color="), (["a"], "color=a")],
)
def test_empty_values_that_are_allowed_are_sent(sent, value, expected):
    assert sent(value, allowEmptyValue=True).url.partition("?")[2] == expected


RESERVED = [
    ("query", "3.0.3", "https://x.example/y?z", "color=https://x.example/y?z"),
    ("query", "3.1.1", "a&b=c+d#e[f]", "color=a%26b%3Dc%2Bd%23e%5Bf%5D"),
    ("query", "3.1.1", "50%25 of 10%", "color=50%25%20of%2010%25"),
    ("path", "3.1.1", "a:b@c", "a%3Ab%40c"),
    ("path", "3.2.0", "a:b@c", "a:b@c"),
    ("path", "3.2.0", "a/b?c#d", "a%2Fb%3Fc%23d"),
    ("path", "3.2.0", "%2e%2E%2f%5c%41", "%252e%252E%252f%255c%41"),
    ("cookie", "3.2.0", "a/b c;d", "color=a/b%20c%3Bd"),
    ("cookie", "3.1.1", "a/b", "color=a%2Fb"),
]


@pytest.mark.parametrize(("place", "version", "value", "expected"), RESERVED)
def test_reserved_characters_are_left_where_the_version_allows_them(sent, place, version, value, expected):
    request = sent(value, place, version=version, allowReserved=True)
    found = dict(request.headers).get("cookie") if place == "cookie" else tail(request).lstrip("?")
    assert found == expected


ESCAPES = [("simple", value) for value in ("..", ".", "", None, [], {})]
ESCAPES += [("label", value) for value in (".", "", None, [], {})]
ESCAPES += [("matrix", value) for value in (None, [], {})]


@pytest.mark.parametrize(("style", "value"), ESCAPES)
def test_a_path_value_never_leaves_its_segment(sent, style, value):
    with pytest.raises(InvalidArgumentsError):
        sent(value, "path", style=style)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("%2F", "%252F"), ("a\\b", "a%5Cb"), ("?x=1#y", "%3Fx%3D1%23y")],
)
def test_path_values_are_encoded_whole(sent, value, expected):
    assert tail(sent(value, "path")) == expected


CONTENTS = [
    ("query", "application/json", {"a": [1, "é"]}, "color=%7B%22a%22%3A%5B1%2C%22%C3%A9%22%5D%7D"),
    ("query", "text/plain", "a b", "color=a%20b"),
    ("query", "application/x-www-form-urlencoded", {"a": "x y"}, "color=a%3Dx%2By"),
    ("querystring", "application/x-www-form-urlencoded", {"a": "x + y", "b": True}, "a=x+%2B+y&b=true"),
    ("querystring", "application/json", {"n": [1], "f": None}, "%7B%22n%22%3A%5B1%5D%2C%22f%22%3Anull%7D"),
    ("querystring", "application/jsonpath", "$.a.b[1:1]", "%24.a.b%5B1%3A1%5D"),
]


@pytest.mark.parametrize(("place", "media", "value", "expected"), CONTENTS)
def test_content_of_parameters(sent, place, media, value, expected):
    request = sent(value, place, version="3.2.0", content={media: {"schema": {}}})
    assert request.url.partition("?")[2] == expected


def test_a_query_string_heeds_the_encoding_of_its_fields(sent):
    media = {"application/x-www-form-urlencoded": {"encoding": {"l": {"style": "pipeDelimited"}}}}
    request = sent({"l": ["a", "b"], "m": ["c", "d"]}, "querystring", version="3.2.0", content=media)
    assert request.url.partition("?")[2] == "l=a%7Cb&m=c&m=d"


HEADERS = [
    ({"schema": {}}, LIST, "blue,black"),
    ({"schema": {}, "explode": True}, MAP, "R=100,G=200"),
    ({"schema": {}}, 'W/"x y"', 'W/"x y"'),
    ({"schema": {}}, "a%20b", "a%20b"),
    ({"content": {"application/json": {}}}, {"é": 1}, '{"\\u00e9":1}'),
    ({"content": {"text/plain": {}}}, "a, b", "a, b"),
]


@pytest.mark.parametrize(("fields", "value", "expected"), HEADERS)
def test_headers_are_not_percent_encoded(sent, fields, value, expected):
    assert dict(sent(value, "header", name="X-C", **fields).headers)["X-C"] == expected


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "é", "\x00", " a", "a\t"])
def test_what_no_header_can_hold_is_refused(sent, value):
    with pytest.raises(InvalidArgumentsError, match="header"):
        sent(value, "header", name="X-C")


COOKIES = [
    ({"style": "form"}, "a;b c", "color=a%3Bb%20c"),
    ({"style": "form", "explode": False}, LIST, "color=blue,black"),
    ({"style": "form"}, {"R ": 1}, "R%20=1"),
    ({"style": "cookie"}, "Hello%2C%20world!", "color=Hello%2C%20world!"),
    ({"style": "cookie"}, LIST, "color=blue; color=black"),
    ({"style": "cookie"}, {"greeting": "Hi", "code": 42}, "greeting=Hi; code=42"),
    ({"content": {"text/plain": {}}}, "a/b c", "color=a/b%20c"),
    ({"content": {"application/json": {}}}, {"a": 1}, "color=%7B%22a%22%3A1%7D"),
]


@pytest.mark.parametrize(("fields", "value", "expected"), COOKIES)
def test_cookies(sent, fields, value, expected):
    assert dict(sent(value, "cookie", version="3.2.0", **fields).headers)["cookie"] == expected


@pytest.mark.parametrize("value", ["a; b=c", "a\r\nX: 1", "é", {"a=b": 1}, {"a;b": 1}])
def test_a_cookie_value_never_becomes_another_cookie(sent, value):
    with pytest.raises(InvalidArgumentsError, match="cookie"):
        sent(value, "cookie", version="3.2.0", style="cookie")


TEMPLATES = [
    ("/s?type=z", "query", "?type=z&color=1"),
    ("/s?color={color}", "query", "?color=1"),
    ("/s?k={color}&v=2", "path", "?k=1&v=2"),
    ("/s{?color}", "query", "?color=1"),
    ("/s/{color}#part", "path", "1"),
    ("/s/{+color}", "path", "1"),
    ("/s/{color*}", "path", "1"),
    ("/s/{color=shelves/*}", "path", "1"),
    ("/s/{color:[0-9]+}", "path", "1"),
    ("/s/{color+}:run", "path", "1:run"),
]


@pytest.mark.parametrize(("path", "place", "expected"), TEMPLATES)
def test_path_templates_of_the_field(sent, path, place, expected):
    assert tail(sent("1", place, path=path)) == expected


def test_what_a_path_asks_for_and_does_not_declare_is_an_argument(built, document):
    spec, wire = built(document(path="/s/{id}{?page,size}"))
    assert spec.parameters["required"] == ["id"]
    assert sorted(spec.parameters["properties"]) == ["id", "page", "size"]
    assert build_request(wire, {"id": "a", "size": "2"}).url.endswith("/s/a?size=2")


def test_unknown_arguments_are_refused_rather_than_lost(built, document):
    _, wire = built(document({"parameters": [{"name": "a", "in": "query", "schema": {}}]}))
    with pytest.raises(InvalidArgumentsError, match="no argument 'b'"):
        build_request(wire, {"b": 1})
