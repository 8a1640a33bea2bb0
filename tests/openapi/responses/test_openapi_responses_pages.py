"""Pages: told from documents, told to models, and followed within bounds over a real connection."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.http.message import Response
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.conversation import Patience
from toolhaft.openapi.responses.following import Follow
from toolhaft.openapi.responses.links import next_link
from toolhaft.openapi.responses.next_page import by_url
from toolhaft.tools.base import CallContext

pytestmark = pytest.mark.slow

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
ROW = {"type": "object", "properties": {"id": INTEGER}}
ROWS = {"type": "array", "items": ROW}


def query(*names, **schemas):
    listed = [(name, INTEGER) for name in names] + list(schemas.items())
    return [{"name": name, "in": "query", "schema": schema} for name, schema in listed]


def returns(headers=None, **properties):
    schema = {"type": "object", "properties": properties} if properties else ROWS
    answer = {"description": "", "content": {"application/json": {"schema": schema}}}
    return {"200": {**answer, "headers": headers} if headers else answer}


DETECTED = {
    "cursor": (
        query("limit", cursor=STRING),
        returns(data=ROWS, next_cursor=STRING),
        "cursor",
        "cursor",
        "/next_cursor",
    ),
    "token": (
        query(pageToken=STRING),
        returns(items=ROWS, nextPageToken=STRING),
        "cursor",
        "pageToken",
        "/nextPageToken",
    ),
    "slack": (
        query("limit", cursor=STRING),
        returns(members=ROWS, response_metadata={"type": "object", "properties": {"next_cursor": STRING}}),
        "cursor",
        "cursor",
        "/response_metadata/next_cursor",
    ),
    "last-item": (
        query("limit", starting_after=STRING),
        returns(data=ROWS, has_more={"type": "boolean"}),
        "cursor",
        "starting_after",
        "",
    ),
    "page": (query("page", "per_page"), returns(), "page", "page", ""),
    "page-bracket": (query("page[number]", "page[size]"), returns(data=ROWS), "page", "page_number", ""),
    "odata": (
        query("$top", "$skip"),
        returns(value=ROWS, **{"@odata.nextLink": STRING}),
        "offset",
        "skip",
        "",
    ),
    "offset": (query("offset", "limit"), returns(items=ROWS, total=INTEGER), "offset", "offset", ""),
    "link": (query("per_page"), returns({"Link": {"schema": STRING}}), "link", "", ""),
    "url": ([], returns(results=ROWS, next_url=STRING), "next_url", "", "/next_url"),
    "hal": (
        [],
        returns(
            items=ROWS,
            _links={
                "type": "object",
                "properties": {"next": {"type": "object", "properties": {"href": STRING}}},
            },
        ),
        "next_url",
        "",
        "/_links/next/href",
    ),
    "described": (
        [*query("limit"), {**query(offset=STRING)[0], "description": "An offset to the next page."}],
        returns(data=ROWS),
        "cursor",
        "offset",
        "",
    ),
    "record": (query("page"), returns(id=INTEGER, name=STRING), None, "", ""),
    "time": (query(after={"type": "string", "format": "date-time"}), returns(items=ROWS), None, "", ""),
    "from": (query(**{"from": STRING, "to": STRING}), returns(items=ROWS), None, "", ""),
    "filter": (query("limit", status=STRING), returns(items=ROWS), None, "", ""),
    "plain": ([], returns(), None, "", ""),
    "start-alone": (query("start"), returns(items=ROWS), None, "", ""),
}


@pytest.mark.parametrize("name", DETECTED)
def test_pages_are_told_from_names_and_answers(built, document, name):
    parameters, responses, kind, argument, pointer = DETECTED[name]
    _, wire = built(document({"parameters": parameters, "responses": responses}))
    found = wire.paging
    assert (found.kind if found else None) == kind
    if found:
        assert (found.argument, found.next) == (argument, pointer)


def rows(first, count):
    return [{"id": n} for n in range(first, first + count)]


@pytest.fixture
def pager(api, tool_of):
    """A tool whose API has 25 rows in pages of 10, in the way that the test chooses."""

    async def make(kind, **settings):
        def answer(exchange):
            def number(name, default):
                return int(exchange.query(name, default) or default)

            at = f"{api.base}/things"
            if kind == "cursor":
                start = number("cursor", 0)
                following = str(start + 10) if start < 20 else None
                exchange.reply(body={"data": rows(start, min(10, 25 - start)), "next_cursor": following})
            elif kind == "page":
                start = (number("page", 1) - 1) * 10
                exchange.reply(body=rows(start, max(0, min(10, 25 - start))))
            elif kind == "offset":
                start = number("offset", 0)
                exchange.reply(body={"items": rows(start, min(10, 25 - start)), "total": 25})
            else:
                start = number("at", 0)
                url = f"{at}?at={start + 10}" if start < 20 else None
                if kind == "link":
                    links = [("link", f'<{url}>; rel="next"')] if url else []
                    exchange.reply(body=rows(start, min(10, 25 - start)), headers=links)
                else:
                    exchange.reply(body={"results": rows(start, min(10, 25 - start)), "next_url": url})

        api.routes["/things"] = answer
        parameters, responses = {
            "cursor": (
                query("limit", cursor=STRING),
                returns(data=ROWS, next_cursor={"type": ["string", "null"]}),
            ),
            "page": ([*query("page"), *query(per_page={"type": "integer", "default": 10})], returns()),
            "offset": (query("offset", "limit"), returns(items=ROWS, total=INTEGER)),
            "link": (query("at"), returns({"Link": {"schema": STRING}})),
            "url": (query("at"), returns(results=ROWS, next_url=STRING)),
        }[kind]
        return await tool_of({"parameters": parameters, "responses": responses}, version="3.1.0", **settings)

    return make


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["cursor", "page", "offset", "link", "url"])
async def test_pages_are_followed_to_their_end(api, pager, kind):
    result = await (await pager(kind, pages=9)).call({}, CallContext())
    found = result.value if isinstance(result.value, list) else next(v for v in result.value.values() if v)
    assert [row["id"] for row in found] == list(range(25))
    assert len(api.seen) == len(result.exchanges) == 3
    assert result.notes == ()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("cursor", "call again with cursor='10'"),
        ("page", "There may be more: for the next page call again with page=2"),
        ("offset", "There is more: for the next page call again with offset=10"),
        ("link", "at='10'"),
        ("url", "at='10'"),
    ],
)
async def test_a_model_is_told_how_to_get_the_next_page(api, pager, kind, says):
    result = await (await pager(kind)).call({}, CallContext())
    assert len(api.seen) == 1
    assert len(result.notes) == 1
    assert says in result.notes[0]
    two = await (await pager(kind, pages=2)).call({}, CallContext())
    assert len(api.seen) == 3
    assert says.replace("10", "20").replace("page=2", "page=3") in two.notes[0]


FAULTS = {
    "cut": "Page 2 failed (the server closed the connection",
    "error": "Page 2 failed (the API answered 500",
    "cycle": "a page that came already",
    "back": "a page that came already",
    "same": "the same page again",
    "elsewhere": "leads to another origin",
    "scheme": "not followed",
    "newline": "not followed",
    "path": "it is at another path",
    "garbage": "Page 2 failed",
    "private": "leads to another origin",
}


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_later_page_that_fails_leaves_the_earlier_ones(api, tool_of, fault):
    hostile = {
        "elsewhere": "https://evil.example/things?at=1",
        "scheme": "file:///etc/passwd",
        "newline": "/things?at=1\r\nX-Evil: 1",
        "path": "/other?token=1",
        "private": "//169.254.169.254/things?at=1",
    }

    def answer(exchange):
        start = int(exchange.query("at", "0"))
        url = hostile.get(fault, f"/things?at={start + 10}")
        if fault == "cycle" and start:
            url = "/things?at=10" if start == 20 else "/things?at=20"
        if fault == "back" and start:
            url = "/things"
        if start and fault == "cut":
            exchange.begin("application/json", length=1000)
            exchange.wfile.write(b'{"results": [1')
            return
        if start and fault == "garbage":
            exchange.begin("application/json", length=-5)
            return
        status = 500 if start and fault == "error" else 200
        first = 0 if fault == "same" else start
        exchange.reply(status, {"results": rows(first, 10), "next_url": url})

    api.routes["/things"] = answer
    operation = {"parameters": query("at"), "responses": returns(results=ROWS, next_url=STRING)}
    tool = await tool_of(operation, pages=20)
    result = await tool.call({}, CallContext())
    kept = {"cycle": 30, "back": 20}.get(fault, 10)
    assert [row["id"] for row in result.value["results"]] == list(range(kept))
    assert any(FAULTS[fault] in note for note in result.notes), result.notes
    assert len(api.seen) <= 6


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("follow", "least", "most", "says"),
    [
        (Follow(pages=5), 50, 50, "page=6"),
        (Follow(pages=1000, items=35), 40, 40, "Stopped after 4 pages with 40 items"),
        (Follow(pages=1000, seconds=0.6), 10, 600, "seconds"),
        (Follow(pages=1000, size=900), 20, 100, "Stopped after"),
    ],
    ids=["pages", "items", "seconds", "bytes"],
)
async def test_endless_pages_are_bounded(api, tool_of, follow, least, most, says):
    def answer(exchange):
        page = int(exchange.query("page", "1"))
        if "seconds" in says:
            time.sleep(0.05)
        exchange.reply(body=rows(page * 10, 10))

    api.routes["/things"] = answer
    tool = await tool_of({"parameters": query("page", "per_page"), "responses": returns()})
    tool = tool.following(pages=follow.pages, patience=Patience(follow=follow))
    started = time.monotonic()
    result = await tool.call({}, CallContext())
    assert time.monotonic() - started < 5
    assert least <= len(result.value) <= most
    assert any(says in note or "did not come in time" in note for note in result.notes)


@pytest.mark.anyio
async def test_writes_are_not_repeated_for_pages_and_secrets_stay(api, tool_of):
    from toolhaft.secrets import SecretStore

    api.routes["/things"] = (200, {"items": rows(0, 2), "next_cursor": "c"})
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"cursor": STRING}}}}}
    operation = {"requestBody": body, "responses": returns(items=ROWS, next_cursor=STRING)}
    posting = await tool_of(operation, method="post", pages=3)
    result = await posting.call({}, CallContext())
    assert len(api.seen) == 1
    assert "not followed" in result.notes[0]

    def answer(exchange):
        more = exchange.query("page", "1") == "1"
        url = f"/things?page=2&key={exchange.query('key')}"
        exchange.reply(body={"results": rows(0 if more else 2, 2), "next_url": url if more else None})

    api.routes["/things"] = answer
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}}}
    settings = {"auth": {"key": "memory:key"}, "secrets": SecretStore({"key": "secret-value-1"})}
    operation = {"security": [{"key": []}], "responses": returns(results=ROWS, next_url=STRING)}
    tool = await tool_of(operation, components=schemes, source=settings, pages=3)
    result = await tool.call({}, CallContext())
    assert len(result.value["results"]) == 4, (result.notes, result.value)
    assert api.seen[-1][1] == "/things?page=2&key=secret-value-1"
    assert "secret-value-1" not in repr(result)


def test_the_url_of_a_page_is_held_against_the_operation(built, document):
    _, wire = built(document({"parameters": query("page", "per_page")}, path="/repos/{o}/issues"))
    asked = "https://api.example.com/v1/repos/me/issues?per_page=5"
    other = by_url("https://api.example.com/repositories/7/issues?per_page=5&page=2", wire, asked)
    assert (other.url, other.arguments) == (f"{asked}&page=2", {"page": "2"})
    assert by_url("?per_page=5&page=2", wire, asked).url == f"{asked}&page=2"
    for bad in (
        "http://api.example.com/v1/repos/me/issues?page=2",
        "https://u:p@api.example.com/x?page=2",
        "\x00",
        "",
    ):
        assert by_url(bad, wire, asked).url in ("", asked)


TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "//h",
        "https://api.example.com",
        "https://api.example.com:443/v1/things",
        "http://[::1]/",
        "\\\\h",
        "data:,x",
    ]
)


@given(st.lists(TEXTS, max_size=4).map("".join))
def test_no_text_leads_to_another_origin(text):
    wire = Wire(method="GET", server="https://api.example.com/v1", path="/things")
    found = by_url(text, wire, "https://api.example.com/v1/things?a=1")
    assert found.url == "" or found.url.startswith("https://api.example.com/v1/things")
    assert bool(found.refused) == (not found.url)
    assert len(found.line()) < 400
    next_link((("link", text),))


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ('<https://a/?p=2>; rel="next", <https://a/?p=9>; rel="last"', "https://a/?p=2"),
        ('<a,b>; title="x, y"; rel="prev", <c;d>; rel=next', "c;d"),
        ('<u>; rel="prev NEXT"', "u"),
        ('<u>; rel="nextish"', ""),
        ("<<<<<<<", ""),
        ("<a>;" * 5000, ""),
    ],
    ids=range(6),
)
def test_link_headers_are_read(value, target):
    assert next_link((("link", value),)) == target
    assert Response(status=200, url="u", headers=(("link", value),)).header("link") == value
