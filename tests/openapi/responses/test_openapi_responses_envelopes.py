"""What stands around the items of pages: the next page's URL deep inside, and what is left at the end."""

import pytest

from toolhaft.tools.base import CallContext

ROWS = {"type": "array", "items": {"type": "object"}}


def paged(*names, **properties):
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    return {
        "parameters": [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in names],
        "responses": {"200": {"description": "", "content": content}},
    }


@pytest.mark.anyio
async def test_a_url_among_links_counts_before_the_size_of_the_page(api, tool_of):
    def answer(exchange):
        page = int(exchange.query("page", "1"))
        pages = {"next": f"{api.base}/things?page={page + 1}", "last": "x"} if page < 3 else {"first": "x"}
        exchange.reply(body={"things": [{"id": page}], "links": {"pages": pages}, "meta": {"total": 3}})

    api.routes["/things"] = answer
    operation = paged("page", "per_page", things=ROWS)
    operation["parameters"][1]["schema"]["default"] = 20  # more than the API gives
    result = await (await tool_of(operation, pages=5)).call({}, CallContext())
    assert [row["id"] for row in result.value["things"]] == [1, 2, 3]
    assert result.value["links"] == {"pages": {"first": "x"}}
    assert result.notes == ()


@pytest.mark.anyio
@pytest.mark.parametrize(("pages", "left"), [(2, True), (9, False)])
async def test_what_stands_around_the_items_is_the_last_pages(api, tool_of, pages, left):
    def answer(exchange):
        start = int(exchange.query("offset", "0"))
        body = {"page": {"rows": [{"id": start}, {"id": start + 1}]}, "has_more": start < 4, "at": start}
        exchange.reply(body=body)

    api.routes["/things"] = answer
    inner = {"type": "object", "properties": {"rows": ROWS}}
    operation = paged("offset", "limit", page=inner, has_more={"type": "boolean"})
    result = await (await tool_of(operation, pages=pages)).call({}, CallContext())
    rows = result.value["page"]["rows"]
    assert [row["id"] for row in rows] == list(range(2 * min(pages, 3)))
    assert (result.value["has_more"], result.value["at"]) == (left, rows[-1]["id"] - 1)
    assert bool(result.notes) is left
