"""Tasks made of tools: they can be done, are said, are the same again, and nothing is lost silently."""

import pytest

from toolhaft.errors import ModelError, UsageError
from toolhaft.evaluators.state import StateEvaluator
from toolhaft.evaluators.state_check import check
from toolhaft.generators.base import Drops
from toolhaft.generators.drafts import Draft, Planned, Proved
from toolhaft.generators.environment import ReadOnly
from toolhaft.generators.instructions import Teacher, TemplateTeacher
from toolhaft.generators.model_teacher import ModelTeacher
from toolhaft.generators.template import Category, Chain, OneTool
from toolhaft.generators.wording import is_named, is_said
from toolhaft.hooks import Registry
from toolhaft.testing import ScriptedModel
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.function import tool
from toolhaft.types import Completion, ToolCall

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KINDS = {"one-tool": OneTool, "category": Category, "chain": Chain}


@pytest.mark.parametrize("kind", KINDS)
async def test_tasks_say_their_arguments_and_name_no_tool(kind, make_tasks, shop):
    tasks = await make_tasks(KINDS[kind](), n=20)
    assert len({task.id for task in tasks}) == len({task.instruction for task in tasks}) == 20
    specs = {spec.name: spec for spec in (await shop.catalog("x")).specs()}
    for task in tasks:
        assert task.tags[0] == kind
        assert task.gold.tools
        assert task.metadata["executed"] is True
        assert task.metadata["instruction_by"] == "template"
        assert not any(is_named(specs[call.name], task.instruction) for call in task.gold.calls)
        for call, sources in zip(task.gold.calls, task.metadata["sources"], strict=True):
            for name, value in call.arguments.items():
                assert sources[name] == "chain" or is_said(value, task.instruction, name)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_seed_gives_the_same_tasks(kind, make_tasks):
    first, again = [await make_tasks(KINDS[kind](), seed=5) for _ in range(2)]
    other = await make_tasks(KINDS[kind](), seed=6)
    assert first == again
    assert [task.instruction for task in first] != [task.instruction for task in other]


async def test_every_tool_takes_its_turn(make_tasks):
    tasks = await make_tasks(OneTool(), n=6)
    assert {name for task in tasks for name in task.gold.tools} == {
        "listOrders",
        "getOrder",
        "cancelOrder",
        "createOrder",
        "purgeOrder",
        "reviewOrder",
    }


async def test_runs_are_put_back(make_tasks, shop):
    await make_tasks(OneTool(), n=6)
    assert shop.runs == {}


async def test_a_chain_passes_on_what_the_first_call_returned(make_tasks):
    tasks = await make_tasks(Chain(), n=10)
    for task in tasks:
        first, second = task.gold.calls
        assert first.name in ("listOrders", "createOrder")
        value = second.arguments["order_id"]
        assert value not in task.instruction
        assert value == "ORD-4" if first.name == "createOrder" else value in ("ORD-1", "ORD-2")


async def test_the_gold_of_a_write_holds_after_it_and_not_before(make_tasks, shop):
    tasks = [task for task in await make_tasks(OneTool(), n=20) if task.gold.tools[0] == "cancelOrder"]
    assert tasks
    evaluator = StateEvaluator()
    for task in tasks:
        catalog = await shop.catalog("check")
        assert check(task, "It is done.", await shop.state("check")).value == 0
        await catalog.call("cancelOrder", **task.gold.calls[0].arguments)
        assert check(task, "It is done.", await shop.state("check")).value == 1
        await catalog.call("createOrder", title="One more")
        assert check(task, "It is done.", await shop.state("check")).value == 0
        await shop.reset("check")
        evaluator.check_task(task)


async def test_who_was_to_read_must_not_write(make_tasks):
    tasks = [task for task in await make_tasks(OneTool(), n=12) if task.gold.tools[0] == "getOrder"]
    assert tasks[0].gold.state == ({"path": "/writes", "equals": {"length": 0}},)
    assert tasks[0].gold.facts


async def test_what_cannot_be_undone_is_approved_by_name(make_tasks):
    tasks = [task for task in await make_tasks(OneTool(), n=12) if task.gold.tools[0] == "purgeOrder"]
    assert tasks[0].metadata["approve"] == [
        {"tool": "purgeOrder", "arguments": tasks[0].gold.calls[0].arguments}
    ]


async def test_without_an_environment_nothing_is_called(make_tasks, shop):
    tasks = await make_tasks(OneTool(calls=0), n=6, environment=None)
    assert shop.calls == []
    assert tasks
    assert not any(task.metadata["executed"] for task in tasks)
    assert all(task.gold.calls and not task.gold.state for task in tasks)


async def test_in_a_plain_catalog_only_reads_are_called(make_tasks, shop):
    catalog = await shop.catalog("live")
    tasks = await make_tasks(OneTool(), n=10, environment=ReadOnly(catalog), catalog=catalog)
    assert {name for _, name in shop.calls} <= {"listOrders", "getOrder"}
    assert {task.metadata["executed"] for task in tasks} == {True, False}


async def test_a_chain_needs_its_calls_made(make_tasks):
    drops = Drops()
    assert await make_tasks(Chain(calls=0), n=3, environment=None, drops=drops) == []
    assert drops.counts["a chain can only be made where its calls can"] > 0


async def test_calls_that_fail_are_counted(make_tasks):
    drops = Drops()
    await make_tasks(OneTool(), n=40, drops=drops)
    assert any(reason.startswith("a gold call failed") for reason in drops.counts)
    assert drops.total == sum(drops.counts.values()) > 0


async def test_it_ends_when_the_tools_give_no_more(make_tasks, shop):
    drops = Drops()
    catalog = (await shop.catalog("one")).select("listOrders")
    tasks = await make_tasks(OneTool(), n=100_000, catalog=catalog, drops=drops)
    assert 10 < len(tasks) < 100_000
    assert drops.counts["an exact copy of another"] > 0


async def test_several_phrasings_of_the_same_calls(make_tasks):
    tasks = await make_tasks(OneTool(phrasings=4), n=8)
    assert len({task.instruction for task in tasks}) == 8
    assert tasks[0].gold.calls == tasks[3].gold.calls


class Silent(Teacher):
    """Says what it is told to."""

    name = "silent"

    def __init__(self, text):
        self.text = text

    async def write(self, proved, *, seed):
        return self.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the teacher wrote nothing"),
        ("Show it.", "an argument is not in the instruction"),
        ("Call getOrder with ORD-1, ORD-2 and ORD-3.", "the instruction names a tool"),
        ("ORD-1 ORD-2 ORD-3 " * 40, "the instruction is too long"),
    ],
)
async def test_instructions_that_cannot_be_used_are_counted(text, reason, make_tasks, shop):
    drops = Drops()
    catalog = (await shop.catalog("one")).select("getOrder")
    tasks = await make_tasks(OneTool(teacher=Silent(text), longest=400), n=3, catalog=catalog, drops=drops)
    assert tasks == []
    assert set(drops.counts) == {reason}


def said(text):
    call = ToolCall(id="1", name="say", arguments={"instruction": text})
    return Completion(calls=(call,), finish="tool_calls", origin="scripted")


async def test_a_model_can_be_the_teacher(make_tasks, shop):
    catalog = (await shop.catalog("one")).select("createOrder")
    shown = []

    def answer(request):
        shown.append(request.messages[-1].text)
        title = request.messages[1].text.split('"title": "')[1].split('"')[0]
        return said("Order me something nice." if len(shown) == 1 else f"I would like {title} to be ordered.")

    model = ScriptedModel(*[answer] * 4)
    tasks = await make_tasks(OneTool(teacher=ModelTeacher(model)), n=2, catalog=catalog)
    assert len(tasks) == 2
    assert "title" in shown[1]
    assert "Say it again" in shown[1]
    assert tasks[0].metadata["instruction_by"] == "scripted"
    assert "createOrder" not in model.requests[0].messages[1].text


async def test_a_teacher_that_never_says_it_is_given_up(make_tasks, shop):
    catalog = (await shop.catalog("one")).select("createOrder")
    drops = Drops()
    teacher = ModelTeacher(ScriptedModel(*["Order something."] * 100), tries=2)
    assert await make_tasks(OneTool(teacher=teacher), n=1, catalog=catalog, drops=drops) == []
    assert drops.counts == {"the teacher wrote nothing": 12}


async def test_an_error_of_the_teacher_is_told(make_tasks):
    teacher = ModelTeacher(ScriptedModel(ModelError("out of order")))
    with pytest.raises(ModelError, match="out of order"):
        await make_tasks(OneTool(teacher=teacher), n=1)


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_registered(kind):
    assert Registry.load().generator(kind).name == kind


async def test_a_catalog_without_tools_is_refused(make_tasks):
    with pytest.raises(UsageError, match="no tools"):
        await make_tasks(OneTool(), catalog=Catalog([], name="empty"), environment=None)


async def test_tools_with_bugs_are_counted_and_end_nothing(make_tasks):
    @tool(effect="read")
    def explode(city: str) -> dict:
        """Show the damage in a city."""
        raise ValueError("a bug")

    @tool(effect="read")
    def nest(depth: int = 1) -> list:
        """List deep things."""
        found: list = []
        for _ in range(5_000):
            found = [found]
        return found

    @tool(effect="read")
    def puzzle() -> object:
        """Show what no JSON can say."""
        return {"thing": object()}

    @tool(effect="read")
    def show_sky(city: str) -> dict:
        """Show the sky of a city."""
        return {"sky": "clear"}

    catalog = Catalog([explode, nest, puzzle, show_sky])
    drops = Drops()
    tasks = await make_tasks(OneTool(), n=4, environment=ReadOnly(catalog), catalog=catalog, drops=drops)
    assert {task.gold.tools for task in tasks} == {("show_sky",)}
    assert drops.total >= 3


async def test_one_call_is_said_in_many_ways(shop):
    spec = (await shop.catalog("x")).spec("reviewOrder")
    planned = Planned(spec=spec, arguments={"order_id": "ORD-1", "stars": 4})
    proved = Proved(draft=Draft(kind="one-tool", steps=(planned,)), calls=())
    said = {await TemplateTeacher().write(proved, seed=str(number)) for number in range(400)}
    assert len(said) > 320
    assert len({text.replace("ORD-1", "").split("order")[0] for text in said}) > 15
