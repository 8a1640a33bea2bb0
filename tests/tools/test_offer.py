"""The offer of a rollout that searches for tools: how it grows, what leaves it, what stays in its place."""

import json
import random
from itertools import pairwise, takewhile

import pytest

from toolhaft import Catalog, Observation, ToolCall
from toolhaft.errors import UsageError
from toolhaft.models.rendering import chat_tools
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.offer import GrowingTools, OfferLimit, found_names, prompt_size
from toolhaft.types import ErrorInfo, JSONPart, TextPart

FINDER = CannedTool(tool_spec("find_tools"), {})
NAMES = [f"tool{n}" for n in range(60)]
CATALOG = Catalog([CannedTool(tool_spec(name), {}) for name in NAMES])


def offer(*names, tools=48, characters=10**6, left=0.5):
    limit = OfferLimit(tools=tools, characters=characters, left=left)
    return GrowingTools(CATALOG, names, finder=FINDER, limit=limit)


def answer(*names):
    return Observation(
        call_id="c", tool="find_tools", parts=(JSONPart({"tools": [{"name": name} for name in names]}),)
    )


def find(tools, *names):
    tools.note(ToolCall(id="c", name="find_tools"), answer(*names))
    tools.grow()
    return tools.names[1:]


def call(tools, name):
    tools.note(ToolCall(id="c", name=name), Observation(call_id="c", tool=name))


def test_what_is_found_comes_last_and_from_the_next_step_on():
    tools = offer("tool3", "tool1")
    assert tools.names == ("find_tools", "tool3", "tool1")
    assert [spec.name for spec in tools.specs] == list(tools.names)
    before = tools.specs
    tools.note(ToolCall(id="c", name="find_tools"), answer("tool9", "tool1", "tool0"))
    assert tools.specs is before
    assert tools.get("tool9") is None
    tools.grow()
    assert tools.names == ("find_tools", "tool3", "tool1", "tool9", "tool0")
    assert tools.specs[: len(before)] == before
    assert (tools.get("tool9"), tools.get("find_tools")) == (CATALOG["tool9"], FINDER)
    assert len(tools) == 5
    after = tools.specs
    tools.grow()
    assert tools.specs is after


def test_only_the_searching_tool_makes_the_offer_grow():
    tools = offer("tool1")
    tools.note(ToolCall(id="c", name="tool1"), answer("tool2"))
    tools.note(ToolCall(id="c", name="other"), answer("tool2"))
    tools.grow()
    assert tools.names == ("find_tools", "tool1")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"tools": [{"name": "tool1"}, {"name": "nobody"}, {"name": "tool1"}]}, ["tool1", "nobody", "tool1"]),
        ({"tools": "tool1"}, []),
        ({"tools": [["name", "tool1"], "tool2", None, {"name": 3}, {"named": "x"}]}, []),
        (["tool1"], []),
        ("tool1", []),
        (None, []),
        ({"tools": [{"name": "../../etc"}, {"name": "tool2\0"}]}, ["../../etc", "tool2\0"]),
    ],
    ids=["names", "text", "others", "list", "string", "null", "hostile"],
)
def test_answers_that_are_no_searches_add_nothing_that_is_not_there(value, names):
    found = Observation(call_id="c", tool="find_tools", parts=(JSONPart(value),))
    assert found_names(found) == names
    tools = offer("tool0")
    tools.note(ToolCall(id="c", name="find_tools"), found)
    tools.grow()
    assert set(tools.names) <= {"find_tools", "tool0", "tool1"}


def test_a_search_that_failed_or_was_cut_to_text_adds_nothing():
    error = ErrorInfo(code="E-TOOL-TIMEOUT", what="late")
    assert found_names(Observation(call_id="c", tool="find_tools", error=error)) == []
    assert found_names(Observation(call_id="c", tool="find_tools", parts=(TextPart("tool1"),))) == []


def test_beyond_the_limit_the_least_recently_found_leave_in_one_batch():
    tools = offer("tool0", "tool1", tools=10)
    find(tools, "tool10", "tool11", "tool12", "tool13")
    find(tools, "tool20", "tool21", "tool22", "tool23")
    assert len(tools.names) == 11  # there is room for ten and the one that searches
    # The first search's go, of the second the last hits, and the first offer stays.
    assert find(tools, "tool30") == ("tool0", "tool1", "tool20", "tool21", "tool30")
    assert find(tools, "tool31") == ("tool0", "tool1", "tool20", "tool21", "tool30", "tool31")


def test_what_was_found_again_is_recent_and_stays_in_its_place():
    tools = offer("tool0", tools=6)
    find(tools, "tool10", "tool11")
    find(tools, "tool20", "tool21")
    assert find(tools, "tool10") == ("tool0", "tool10", "tool11", "tool20", "tool21")
    assert find(tools, "tool30", "tool31") == ("tool0", "tool30", "tool31")
    tools = offer("tool0", tools=6, left=0.7)
    find(tools, "tool10", "tool11")
    find(tools, "tool20", "tool21")
    find(tools, "tool10")
    assert find(tools, "tool30", "tool31") == ("tool0", "tool10", "tool30", "tool31")


def test_what_was_called_never_leaves():
    tools = offer("tool0", "tool1", tools=4)
    find(tools, "tool10", "tool11")
    call(tools, "tool11")
    call(tools, "tool0")
    for n in range(20, 40):
        names = find(tools, f"tool{n}")
        assert {"tool0", "tool11", f"tool{n}"} <= set(names)
        assert len(names) <= 4
    assert tools.get("find_tools") is FINDER


def test_the_first_offer_leaves_last():
    tools = offer("tool0", "tool1", "tool2", tools=4)
    assert find(tools, "tool10", "tool11") == ("tool0", "tool1", "tool10", "tool11")
    assert find(tools, "tool12") == ("tool0", "tool1", "tool12")
    assert find(tools, "tool13", "tool14", "tool15") == ("tool0", "tool13", "tool14", "tool15")


def test_more_than_the_limit_is_kept_where_nothing_may_leave():
    tools = offer("tool0", tools=2)
    names = find(tools, *NAMES[10:20])
    assert names == tuple(NAMES[10:20])  # they were found just now
    for name in names:
        call(tools, name)
    assert find(tools, "tool30") == (*names, "tool30")


def test_characters_are_limited_too():
    size = prompt_size(CATALOG.spec("tool10"))
    tools = offer("tool0", characters=5 * size)
    find(tools, "tool10", "tool11", "tool12")
    assert find(tools, "tool13", "tool14") == ("tool0", "tool13", "tool14")


def test_a_branch_grows_by_itself():
    tools = offer("tool0", tools=4)
    find(tools, "tool10")
    specs = tools.specs
    one, other = tools.branch(), tools.branch()
    assert one.specs is specs
    assert find(one, "tool11") == ("tool0", "tool10", "tool11")
    call(other, "tool10")
    assert find(other, "tool12", "tool13") == ("tool0", "tool10", "tool12", "tool13")
    assert find(other, "tool14") == ("tool0", "tool10", "tool14")
    assert tools.names == ("find_tools", "tool0", "tool10")


def test_the_same_searches_give_the_same_offer():
    def made():
        draw = random.Random(3)
        tools = offer(*NAMES[:8], tools=20)
        for _ in range(30):
            find(tools, *draw.sample(NAMES, 4))
            call(tools, draw.choice(NAMES))
        return tools.names

    assert made() == made()


@pytest.mark.parametrize("fields", [{"tools": 0}, {"characters": 0}, {"left": 0.0}, {"left": 1.0}])
def test_limits_are_checked(fields):
    with pytest.raises(UsageError, match="out of range"):
        OfferLimit(**fields)


def test_a_catalog_with_a_tool_of_the_same_name_is_refused():
    with pytest.raises(UsageError, match="find_tools"):
        GrowingTools(Catalog([FINDER]), (), finder=FINDER)


def kept(prompts):
    """Return which share of the later prompts equals the beginning of the one before."""
    pairs = list(pairwise(prompts))
    same = (
        sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(*pair, strict=False))) for pair in pairs
    )
    return sum(same) / sum(len(after) for _, after in pairs)


def test_most_of_the_prompt_stays_what_it_was_over_ten_searches():
    """Against the naive rule: what was found or called last stands first, and one more drives one out."""
    draw = random.Random(0)
    searches = [draw.sample(NAMES[8:], 5) for _ in range(10)]
    tools = offer(*NAMES[:8], tools=24)
    recent = [*NAMES[:8]]
    ours, naive = [], []
    for found in searches:
        names = find(tools, *found)
        call(tools, found[0])
        recent = [*found, *(name for name in recent if name not in found)][:24]
        for prompts, listed in ((ours, tools.names[1:]), (naive, recent)):
            prompts.append(json.dumps(chat_tools([CATALOG.spec(name) for name in listed])))
        assert len(names) <= 24
    assert kept(ours) > 0.7
    assert kept(naive) < 0.2
