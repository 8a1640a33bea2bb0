"""What is known of answers stays with a catalog file, and the caller's bounds with the catalog."""

import pytest

from toolhaft.errors import UsageError
from toolhaft.openapi.source import OpenAPISource
from toolhaft.tools.base import CallContext

ROWS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}}
OPERATION = {
    "parameters": [
        {"name": "page", "in": "query", "schema": {"type": "integer"}},
        {"name": "per_page", "in": "query", "schema": {"type": "integer", "default": 2}},
    ],
    "responses": {
        "200": {"description": "", "content": {"application/json": {"schema": ROWS}}},
        "206": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
    },
}


def answer(exchange):
    page = int(exchange.query("page", "1"))
    exchange.reply(body=[{"id": page * 2 + n} for n in range(2 if page < 3 else 1)])


@pytest.mark.anyio
async def test_a_catalog_file_knows_pages_and_promises(api, document, tmp_path):
    from toolhaft.tools.catalog_file import open_catalog_file

    api.routes["/things"] = answer
    opened = await OpenAPISource(allow_hosts=["127.0.0.1"], server=api.base).load(document(OPERATION))
    opened.save(tmp_path / "things.catalog")
    source = OpenAPISource(allow_hosts=["127.0.0.1"], pages=5)
    kept = open_catalog_file(tmp_path / "things.catalog", source.bind)
    assert kept["thing"].wire == opened["thing"].wire
    assert kept["thing"].wire.paging.argument == "page"
    assert [found.status for found in kept["thing"].wire.answers] == ["200", "206"]
    assert await opened.call("thing") == [{"id": 2}, {"id": 3}]
    assert await kept.call("thing") == [{"id": n} for n in range(2, 7)]
    await kept.close()
    await opened.close()


@pytest.mark.anyio
async def test_bounds_are_the_tools_own(tool_of, api):
    api.routes["/things"] = answer
    tool = await tool_of(OPERATION)
    more = tool.following(pages=2)
    assert (tool.options.pages, more.options.pages, tool.spec.timeout) == (1, 2, None)
    assert more.spec.timeout == 50.0
    assert len((await more.call({}, CallContext())).value) == 4
    assert len((await tool.call({}, CallContext())).value) == 2
    assert [request[1] for request in api.seen] == ["/things", "/things?page=2", "/things"]
    for bounds in ({"pages": 0}, {"pages": 10_000}, {"wait": -1}, {"wait": 1e9}):
        with pytest.raises(UsageError):
            tool.following(**bounds)


@pytest.mark.anyio
async def test_a_token_that_comes_back_is_the_end(api, tool_of):
    schema = {"type": "object", "properties": {"items": ROWS, "next_cursor": {"type": "string"}}}
    operation = {
        "parameters": [{"name": "cursor", "in": "query", "schema": {"type": "string"}}],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
    }
    api.routes["/things"] = lambda exchange: exchange.reply(
        body={"items": [{"id": len(exchange.path)}], "next_cursor": "end", "offset": 0, "cursor": ""}
    )
    result = await (await tool_of(operation, pages=9)).call({}, CallContext())
    assert (len(result.value["items"]), result.notes) == (2, ())
