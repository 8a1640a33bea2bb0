"""JSON that is cut on its structure: it stays JSON, fits, and tells what was left out."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.base import ToolResult
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.execute import execute
from toolhaft.tools.shortening import compact_length, shorten_json
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import ToolCall

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=200),
    st.sampled_from(["x" * 900, 'quote " \\ \n' * 60, "\x01" * 200, "é😀" * 90]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=60), inner, max_size=20),
    max_leaves=40,
)


@given(VALUES, st.integers(24, 3000))
def test_what_is_shown_fits_and_what_fits_is_shown(value, room):
    shown = shorten_json(value, room)
    assert compact_length(shown) <= max(room, 24)
    assert json.loads(json.dumps(shown)) == shown
    assert shorten_json(value, room) == shown
    if compact_length(value) <= room:
        assert shown is value


def test_items_keep_their_telling_fields_and_the_rest_is_counted():
    items = [
        {"body": "long " * 400, "id": n, "name": f"n{n}", "meta": {"a": [1] * 90}, "z": "z" * 300}
        for n in range(500)
    ]
    shown = shorten_json({"data": items, "next": "c2", "total": 500}, 2000)
    assert (shown["next"], shown["total"]) == ("c2", 500)
    assert [item["id"] for item in shown["data"][:-1]] == list(range(len(shown["data"]) - 1))
    assert len(shown["data"]) >= 10
    assert shown["data"][-1] == f"… {501 - len(shown['data'])} more items"


@pytest.mark.parametrize(
    ("value", "room", "shown"),
    [
        ("x" * 100, 60, "x" * 28 + "… 72 more characters"),
        ([1] * 1000, 60, [1] * 15 + ["… 985 more items"]),
        ({"a": {"k": "v" * 90, "b": 2}}, 60, "… 1 field: a"),
        ({"id": 7, "big": "v" * 500, "list": [1] * 300}, 90, None),
        (10**50, 30, None),
    ],
)
def test_parts_are_told_by_their_size_and_names(value, room, shown):
    found = shorten_json(value, room)
    assert compact_length(found) <= room
    if shown is not None:
        assert found == shown


HUGE = {
    "items": [{"a": []} for _ in range(200_000)],
    "fields": {f"k{n}": n for n in range(200_000)},
    "texts": {f"k{n}": {"x" * 100: [1] * 50} for n in range(10_000)},
    "text": "x" * 5_000_000,
    "late": {**{f"k{n}": "v" * 50 for n in range(50_000)}, "id": 7},
}


@pytest.mark.parametrize("name", HUGE)
def test_cutting_a_huge_value_costs_what_is_shown(name):
    started = time.perf_counter()
    shown = shorten_json(HUGE[name], 5000)
    assert time.perf_counter() - started < 2
    assert compact_length(shown) <= 5000
    if name == "late":
        assert shown["id"] == 7
        assert " more fields: " in shown["…"]


@pytest.mark.anyio
async def test_a_model_is_shown_json_and_how_to_get_the_rest():
    value = {"items": [{"id": n, "text": "t" * 200} for n in range(300)], "next": "p2"}
    result = ToolResult(value=value, notes=("More: cursor='p2'\nsecond line",), rest="Ask with limit=")
    tool = CannedTool(tool_spec("lister", parameters={"type": "object", "properties": {}}), result)
    call = ToolCall(id="1", name="lister", arguments={})
    context = RunContext(id="r", result_cap=3000)
    observation = await execute(call, ToolSet(Catalog([tool])), context)
    assert observation.value()["next"] == "p2"
    assert observation.value()["items"][0]["id"] == 0
    assert observation.text().endswith(f"[{observation.truncated} more characters were cut]")
    assert observation.notes[:2] == ("More: cursor='p2' second line", "Ask with limit=")
    assert "tool:lister" in str(context.labels.read)
    whole = await execute(call, ToolSet(Catalog([tool])), RunContext(id="r"))
    assert whole.notes[:1] == observation.notes[:1]
