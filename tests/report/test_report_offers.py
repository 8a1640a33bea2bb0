"""The tools that came and went between two steps, as a person sees them."""

import io

import pytest
from rich.console import Console

from toolhaft import Agent, ToolCall
from toolhaft.report.terminal import LiveTree
from toolhaft.report.tree import offer_change
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.types import Step

WORDS = ("rain", "hotel", "train", "ferry")


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ([("a",), ("a",)], ""),
        ([("a",), ("a", "b")], "tools +1: b"),
        ([("a", "b"), ("b", "c", "d")], "tools +2: c, d; -1: a"),
        ([(), tuple("abcdefghij")], "tools +10: a, b, c, d, e, f, g, h, ..."),
        ([("a",), ("b\x1b[2J\n",)], "tools +1: b"),
        ([("a",)], ""),
    ],
    ids=["same", "more", "both", "many", "hostile", "root"],
)
def test_what_changed_is_said(offers, said):
    steps = [Step(id=n, parent=n - 1 if n else None, offered=names) for n, names in enumerate(offers)]
    shown = str(offer_change(steps, len(steps) - 1))
    assert shown.startswith(said) if said else not shown
    assert shown.isprintable()


def test_a_change_is_that_since_the_step_before_on_the_path():
    steps = [
        Step(id=0, offered=("a",)),
        Step(id=1, parent=0, offered=("a", "b")),
        Step(id=2, parent=0, offered=("a",)),
        Step(id=3, parent=9, offered=("c",)),
    ]
    assert [str(offer_change(steps, n)) for n in range(4)] == ["", "tools +1: b", "", ""]


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.anyio
async def test_the_tree_and_the_report_show_what_a_search_added(terminal, tmp_path):
    tools = [CannedTool(tool_spec(word, description=f"About {word}"), word) for word in WORDS]
    find = ToolCall(id="f", name="find_tools", arguments={"query": "ferry", "k": 1})
    turns = (find, ToolCall(id="c", name="ferry", arguments={"city": "Oslo"}), "Done.")
    model = ScriptedModel(*turns)
    agent = Agent(tools, model=model, k=1, find_tools=True)
    output = io.StringIO()
    with LiveTree(Console(file=output, width=120, force_terminal=terminal, legacy_windows=False)) as tree:
        await tree.follow(agent.stream("rain"))
    assert "tools +1: ferry" in output.getvalue()
    model = ScriptedModel(*turns)
    (await Agent(tools, model=model, k=1, find_tools=True).run("rain")).save(tmp_path / "run.html")
    assert "tools +1: ferry" in (tmp_path / "run.html").read_text("utf-8").replace("\xa0", " ")
