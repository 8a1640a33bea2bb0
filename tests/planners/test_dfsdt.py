"""DFSDT: what is taken back, what is not, and how the search ends."""

import asyncio

import pytest

from toolhaft.errors import ModelError, RefusedError, ToolCrashError, ToolError, UsageError
from toolhaft.models.base import Model
from toolhaft.planners.dfsdt import DFSDT, ToolBenchDFSDT
from toolhaft.planners.prompts import prompt
from toolhaft.testing import CannedTool, ScriptedModel, tool_spec
from toolhaft.tools.budget import BudgetMeter
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.context import RunContext
from toolhaft.tools.policy import Policy
from toolhaft.tools.toolset import ToolSet
from toolhaft.types import Budget, Completion, Task, ToolCall, Trajectory, from_json, to_json

pytestmark = pytest.mark.anyio
TASK = Task(id="t", instruction="Book a room")
SOLD_OUT = ToolError("sold out", effect="none")


@pytest.fixture(autouse=True)
async def no_task_is_left(anyio_backend):
    yield
    left = [task for task in asyncio.all_tasks() if "TestRunner" not in task.get_coro().__qualname__]
    assert left == []


def look(city="Oslo", id=None, name="look"):
    return ToolCall(id=id or f"{name}-{city}", name=name, arguments={"city": city})


def book(city="Oslo", id=None):
    return look(city, id, "book")


def gave_up(text="No way."):
    return Completion(text=text, finish="gave_up", origin="scripted")


class Rooms(CannedTool):
    """Answers by the city: an exception is raised, anything else returned."""

    def __init__(self, name, effect="read", **results):
        super().__init__(tool_spec(name, effect=effect))
        self.results = results

    async def call(self, arguments, context):
        self.calls.append(dict(arguments))
        result = self.results.get(arguments["city"], {"room": arguments["city"]})
        if isinstance(result, Exception):
            raise result
        return result


def narrow(**settings):
    """Return a search that does not grow wider."""
    return DFSDT(**{"widest": 1, **settings})


async def rollout(*turns, tools=None, context=None, planner=None, task=TASK, **budget):
    """Run to the end; return the trajectory, the model and the events before the last."""
    context = context or RunContext(id="r", policy=Policy(allow=("write",)))
    if budget:
        context.meter = BudgetMeter(Budget(**budget))
    model = turns[0] if turns and isinstance(turns[0], Model) else ScriptedModel(*turns)
    tools = ToolSet(Catalog(tools or [Rooms("look"), Rooms("book", "write")]))
    events = [event async for event in (planner or narrow()).rollout(task, tools, model, context)]
    *before, last = events
    assert last.type == "rollout_finished"
    trajectory = last.trajectory
    assert from_json(Trajectory, to_json(trajectory)) == trajectory
    assert asyncio.current_task().cancelling() == 0
    return trajectory, model, before


def shape(trajectory):
    return [(step.parent, step.status) for step in trajectory.steps]


async def test_a_path_that_leads_to_an_answer():
    trajectory, model, events = await rollout(look(), book(), "Booked.")
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("answered", "Booked.", 2)
    assert shape(trajectory) == [(None, "continued"), (0, "continued"), (1, "answered")]
    assert [event.type for event in events] == [
        "rollout_started",
        *["call_started", "call_finished", "step_finished"] * 2,
        "step_finished",
    ]
    assert [len(request.messages) for request in model.requests] == [2, 4, 6]
    assert [request.avoid for request in model.requests] == [(), (), ()]
    assert trajectory.settings["search"]["width"] == 2


@pytest.mark.parametrize("how", [gave_up(), "GIVE UP: No way.", "**GIVE UP** No way."])
async def test_a_give_up_takes_the_round_before_back_too(how):
    trajectory, model, _ = await rollout(look("A"), look("B"), how, look("C"), "Here.")
    assert shape(trajectory) == [
        (None, "continued"),
        (0, "abandoned"),
        (1, "gave_up"),
        (0, "continued"),
        (3, "answered"),
    ]
    assert [step.id for step in trajectory.path()] == [0, 3, 4]
    again = model.requests[3]
    assert [call.arguments["city"] for call in again.avoid] == ["B"]
    # the new branch knows of the path to it alone
    assert [message.name for message in again.messages if message.role == "tool"] == ["look"]
    assert model.requests[4].avoid == ()


@pytest.mark.parametrize(
    ("back_off", "parent"),
    [(1, 1), (2, 0), (3, None), (9, None)],
    ids=["own", "round before", "two rounds before", "as far as there is something"],
)
async def test_the_back_off_says_how_far(back_off, parent):
    script = [look("A"), look("B"), gave_up(), look("C"), "Here."]
    trajectory, model, _ = await rollout(*script, planner=narrow(back_off=back_off))
    assert trajectory.steps[3].parent == parent
    nudged = model.requests[3].messages[-1].text == prompt("dfsdt_again")
    assert nudged == (back_off == 1)
    assert all(message.text != prompt("dfsdt_again") for message in model.requests[4].messages)


async def test_a_give_up_with_nothing_to_take_back_ends_it():
    trajectory, _model, _ = await rollout(gave_up("I cannot book."))
    assert (trajectory.status, trajectory.answer) == ("gave_up", "I cannot book.")
    trajectory, _, _ = await rollout(book(), "GIVE UP: stuck")
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("gave_up", "stuck", 1)


async def test_each_point_is_tried_width_times():
    script = [turn for city in "ABC" for turn in (look(city), gave_up(city))]
    trajectory, model, _ = await rollout(*script, planner=narrow(width=3))
    assert (trajectory.status, len(model.requests)) == ("gave_up", 6)
    assert [len(request.avoid) for request in model.requests] == [0, 0, 1, 0, 2, 0]
    assert [step.parent for step in trajectory.steps] == [None, 0, None, 2, None, 4]


async def test_when_nothing_is_left_to_try_the_search_grows_wider():
    script = [look("A"), look("B"), gave_up(), look("C"), gave_up(), look("Z"), gave_up(), look("D"), "Here."]
    tools = [Rooms("look", B=SOLD_OUT, C=SOLD_OUT, Z=SOLD_OUT)]
    trajectory, model, _ = await rollout(*script, tools=tools, planner=DFSDT(width=2, widest=3))
    # two below A, then one beside it; then the third below A, where the model never stopped
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 0, 3, None, 5, 0, 7]
    assert [call.arguments["city"] for call in model.requests[7].avoid] == ["B", "C"]
    assert (trajectory.status, [step.id for step in trajectory.path()]) == ("answered", [0, 7, 8])
    assert trajectory.steps[0].status == "continued"


async def test_it_does_not_grow_wider_below_a_dead_end():
    tools = [Rooms("look", X=SOLD_OUT)]
    script = [look("X"), look("B"), gave_up(), look("C"), "C."]
    trajectory, _, _ = await rollout(*script, tools=tools, planner=DFSDT(width=1, widest=2))
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, None, 3]


async def test_it_does_not_grow_wider_where_the_model_had_nothing_more():
    tools = [Rooms("look", A=SOLD_OUT)]
    trajectory, model, _ = await rollout(
        look("A"), "No room.", "Still none.", tools=tools, planner=DFSDT(width=2, widest=9)
    )
    assert (trajectory.answer, len(model.requests)) == ("No room.", 3)


async def test_a_path_is_cut_at_the_depth_and_its_end_decided_otherwise():
    planner = narrow(depth=2, width=2)
    trajectory, _model, _ = await rollout(*[look(str(n)) for n in range(6)], planner=planner)
    assert [step.parent for step in trajectory.steps] == [None, 0, 0, None, 3, 3]
    assert (trajectory.status, trajectory.answer_step) == ("gave_up", 5)
    assert {step.status for step in trajectory.steps[:3]} == {"abandoned"}


async def test_a_try_that_repeats_an_earlier_one_is_not_made_and_counts():
    tools = [Rooms("look")]
    trajectory, _model, _ = await rollout(
        look("A"), gave_up(), look("A"), look("B"), "Here.", tools=tools, planner=narrow(width=3)
    )
    assert [call["city"] for call in tools[0].calls] == ["A", "B"]
    repeated = trajectory.steps[2]
    assert (repeated.parent, repeated.status, repeated.note) == (None, "abandoned", "repeats step 1")
    assert repeated.observations[0].error.code == "E-REPEATED"
    assert repeated.observations[0].provenance == "reused"
    assert trajectory.steps[0].observations[0].provenance == "live"
    assert trajectory.usage.tool_calls == 2
    assert trajectory.status == "answered"


async def test_the_same_call_on_one_path_is_a_loop():
    tools = [Rooms("look")]
    trajectory, model, _ = await rollout(look("A"), look("A", "x"), "Room A.", tools=tools)
    assert len(tools[0].calls) == 1
    assert [call.arguments["city"] for call in model.requests[2].avoid] == ["A"]
    assert (trajectory.status, trajectory.answer) == ("answered", "Room A.")


async def test_what_was_read_may_be_read_again_after_a_write():
    tools = [Rooms("look"), Rooms("book", "write")]
    trajectory, _, _ = await rollout(look("A"), book("A"), look("A", "x"), "Booked.", tools=tools)
    assert len(tools[0].calls) == 2
    assert trajectory.status == "answered"


async def test_a_write_is_not_made_twice_in_a_row():
    tools = [Rooms("book", "write")]
    trajectory, _, _ = await rollout(book("A"), book("A", "x"), "Booked.", tools=tools)
    assert len(tools[0].calls) == 1
    assert trajectory.answer == "Booked."


async def test_a_write_that_may_have_been_done_is_tried_once_more():
    unsure = ToolError("no answer", effect="uncertain")
    tools = [CannedTool(tool_spec("book", effect="write"), unsure, unsure, "booked")]
    script = [book("A"), book("A", "x"), book("A", "y"), book("A", "z"), gave_up()]
    trajectory, _, _ = await rollout(*script, tools=tools, planner=narrow(width=3))
    assert len(tools[0].calls) == 2
    assert [step.note for step in trajectory.steps[2:4]] == ["repeats step 2"] * 2


async def test_nor_after_another_branch_wrote():
    tools = [Rooms("book", "write")]
    script = [book("A"), book("B"), gave_up(), book("A", "x"), book("C"), "Booked."]
    trajectory, _, _ = await rollout(*script, tools=tools, planner=narrow(past_writes=True, width=3))
    assert [call["city"] for call in tools[0].calls] == ["A", "B", "C"]
    assert trajectory.steps[3].note == "repeats step 1"


async def test_what_failed_in_passing_may_be_made_again():
    busy = ToolError("busy", retryable=True)
    tools = [CannedTool(tool_spec("look"), busy, {"room": 1})]
    trajectory, _, _ = await rollout(look("A"), look("A", "x"), "Here.", tools=tools)
    assert len(tools[0].calls) == 2
    assert trajectory.status == "answered"


async def test_a_model_that_only_repeats_itself_ends_in_a_loop():
    model = ScriptedModel(*[look("A", f"c{n}") for n in range(20)])
    tools = [Rooms("look")]
    trajectory, _, _ = await rollout(model, tools=tools)
    assert (trajectory.status, len(tools[0].calls)) == ("loop", 1)
    assert len(model.requests) <= 5


async def test_the_search_does_not_go_back_past_a_write():
    script = [look("A"), book("A"), look("B"), gave_up(), look("C"), gave_up("stuck")]
    trajectory, model, _ = await rollout(*script)
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 2, 1, 4]
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("gave_up", "No way.", 3)
    assert len(model.requests) == 6


@pytest.mark.parametrize("planner", [DFSDT(), DFSDT(past_writes=True), ToolBenchDFSDT()])
async def test_no_way_is_sought_around_a_no(planner):
    asked = []
    context = RunContext(
        id="r",
        policy=Policy(allow=("write",)),
        approver=lambda request, _decision: asked.append(request.arguments["city"]),
    )
    tools = [Rooms("look"), Rooms("book", "write"), Rooms("send", "irreversible")]
    script = [look("A"), look("A", name="send"), look("B"), gave_up("It was refused."), gave_up("Nothing.")]
    trajectory, model, _ = await rollout(*script, tools=tools, context=context, planner=planner)
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 2, 1]
    assert (trajectory.status, asked, tools[2].calls) == ("gave_up", ["A"], [])
    # the refusal stands in all that is asked after it, and nothing else is asked for in its place
    for request in model.requests[2:]:
        assert "not approved" in request.messages[5].text
        assert "send" not in [call.name for call in request.avoid]


async def test_a_write_that_is_refused_as_a_repetition_may_be_made_later():
    tools = [Rooms("book", "write")]
    script = [book("on"), book("on", "x"), book("off"), book("on", "y"), "It is on."]
    trajectory, _, _ = await rollout(*script, tools=tools)
    assert trajectory.steps[1].note == "repeats step 1"
    assert [call["city"] for call in tools[0].calls] == ["on", "off", "on"]


async def test_depth_counts_from_the_last_write():
    script = [look("A"), book("A"), look("B"), "Booked."]
    trajectory, _, _ = await rollout(*script, planner=narrow(depth=2))
    assert trajectory.status == "answered"


@pytest.mark.parametrize("effect", ["done", "uncertain"])
async def test_a_write_that_may_have_been_done_stands_too(effect):
    tools = [Rooms("look"), Rooms("book", "write", A=ToolError("no answer", effect=effect))]
    script = [look("A"), book("A"), look("B"), gave_up(), look("C"), gave_up()]
    trajectory, _, _ = await rollout(*script, tools=tools)
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 2, 1, 4]


async def test_a_write_that_failed_is_taken_back():
    tools = [Rooms("look"), Rooms("book", "write", A=SOLD_OUT)]
    script = [look(), book("A"), gave_up(), book("B"), "Booked B."]
    trajectory, _model, _ = await rollout(*script, tools=tools)
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 0, 3]
    assert [call["city"] for call in tools[1].calls] == ["A", "B"]
    assert trajectory.answer == "Booked B."


async def test_past_writes_are_told_and_not_repeated():
    tools = [Rooms("look"), Rooms("book", "write")]
    script = [look("A"), book("A"), gave_up(), book("B"), book("A", "again"), "Booked both."]
    trajectory, model, _ = await rollout(*script, tools=tools, planner=narrow(past_writes=True))
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 0, 3, 4]
    assert [call["city"] for call in tools[1].calls] == ["A", "B"]
    told, result = model.requests[3].messages[-2:]
    assert (told.role, [call.arguments["city"] for call in told.calls]) == ("assistant", ["A"])
    assert told.text == prompt("dfsdt_written")
    assert (result.role, result.call_id, result.text) == ("tool", told.calls[0].id, '{"room":"A"}')
    # it is told once, and stays in the conversation of that branch
    assert model.requests[4].messages[4:6] == (told, result)
    assert sum(message.text == told.text for message in model.requests[5].messages) == 1
    assert trajectory.steps[4].observations[0].provenance == "reused"
    assert "1 write" in trajectory.steps[3].note


async def test_the_ids_of_what_is_told_are_unique_in_the_conversation():
    script = [book("A", "same"), gave_up(), book("B", "same"), book("C", "same-2"), "Done."]
    _, model, _ = await rollout(*script, planner=narrow(past_writes=True))
    ids = [call.id for message in model.requests[-1].messages for call in message.calls]
    assert len(ids) == len(set(ids)) == 3


DEAD_ENDS = {
    "error": SOLD_OUT,
    "nothing": {"rooms": [], "total": 0, "next_cursor": None, "city": "A"},
    "empty list": [],
    "blank": "  ",
}


@pytest.mark.parametrize("result", DEAD_ENDS.values(), ids=DEAD_ENDS)
async def test_something_better_is_looked_for_than_an_answer_after_a_dead_end(result):
    tools = [Rooms("look", A=result)]
    trajectory, model, _ = await rollout(look("A"), "There is no room.", look("B"), "Room B.", tools=tools)
    assert (trajectory.status, trajectory.answer) == ("answered", "Room B.")
    assert shape(trajectory) == [(None, "abandoned"), (0, "abandoned"), (None, "continued"), (2, "answered")]
    assert "dead end" in trajectory.steps[1].note
    assert [call.arguments["city"] for call in model.requests[2].avoid] == ["A"]


@pytest.mark.parametrize("rest", [["Still none."], [look("B"), "None either."], [look("B"), gave_up()]])
async def test_the_first_answer_is_taken_if_there_is_nothing_better(rest):
    tools = [Rooms("look", A=SOLD_OUT, B=SOLD_OUT)]
    trajectory, _, _ = await rollout(look("A"), "No room in A.", *rest, tools=tools)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("answered", "No room in A.", 1)
    assert shape(trajectory)[:2] == [(None, "continued"), (0, "answered")]


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({"rooms": [], "total": 3}, "Three."),
        ({"count": 0}, "None."),
        (0, "None."),
        (False, "No."),
        (RefusedError("not approved"), "It was not approved."),
    ],
)
async def test_answers_that_end_it(result, answer):
    trajectory, _, _ = await rollout(look("A"), answer, tools=[Rooms("look", A=result)])
    assert (trajectory.status, trajectory.answer, len(trajectory.steps)) == ("answered", answer, 2)


async def test_without_doubt_any_answer_ends_it():
    tools = [Rooms("look", A=SOLD_OUT)]
    for planner in (narrow(doubt=False), ToolBenchDFSDT()):
        trajectory, _, _ = await rollout(look("A"), "No room.", tools=tools, planner=planner)
        assert (trajectory.status, len(trajectory.steps)) == ("answered", 2)


async def test_a_question_after_wrong_arguments_ends_it():
    call = ToolCall(id="c", name="look", arguments={})
    trajectory, _, _ = await rollout(call, "Which city?")
    assert (trajectory.status, trajectory.answer) == ("asked", "Which city?")


async def test_a_question_after_a_dead_end_is_put_if_there_is_nothing_better():
    tools = [Rooms("look", A=SOLD_OUT)]
    trajectory, _, _ = await rollout(look("A"), "Another one?", "Which?", tools=tools)
    assert (trajectory.status, trajectory.answer) == ("asked", "Another one?")


async def test_the_answer_that_knows_of_the_write_is_taken():
    tools = [Rooms("look", A=SOLD_OUT, C=SOLD_OUT), Rooms("book", "write")]
    script = [look("A"), "No room.", book("B"), look("C"), "Booked B, no room in C.", gave_up()]
    trajectory, _, _ = await rollout(*script, tools=tools)
    assert (trajectory.status, trajectory.answer) == ("answered", "Booked B, no room in C.")


async def test_of_give_ups_the_one_that_found_most_is_taken():
    tools = [Rooms("look", X=SOLD_OUT)]
    script = [
        look("X"),
        gave_up("nothing"),
        [look("B"), look("C")],
        gave_up("two"),
        look("D"),
        gave_up("one"),
    ]
    trajectory, _, _ = await rollout(*script, tools=tools, planner=narrow(width=3))
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("gave_up", "two", 3)
    assert trajectory.steps[2].status == "continued"


async def test_several_answers_are_found_and_the_first_is_taken():
    script = [look("A"), "A.", look("B"), "B."]
    trajectory, _, _ = await rollout(*script, planner=narrow(answers=2))
    assert (trajectory.answer, trajectory.answer_step) == ("A.", 1)
    assert [step.status for step in trajectory.steps] == ["continued", "answered", "abandoned", "answered"]


@pytest.mark.parametrize(
    ("turns", "status", "answer"),
    [
        (["Done."], "answered", "Done."),
        (["Which room?"], "asked", "Which room?"),
        ([Completion(text="I will not.", finish="refusal")], "refused", "I will not."),
        ([Completion(), Completion()], "gave_up", ""),
        ([Completion(), "Here."], "answered", "Here."),
        ([Completion(), look(), Completion()], "gave_up", ""),
        ([Completion(text="It is be", finish="length")], "answered", "It is be"),
        (["Give up your seat at 9."], "answered", "Give up your seat at 9."),
    ],
)
async def test_how_a_message_without_calls_ends_it(turns, status, answer):
    trajectory, _model, _ = await rollout(*turns, planner=narrow(width=1))
    assert (trajectory.status, trajectory.answer) == (status, answer)


async def test_calls_of_one_round_are_one_decision():
    script = [[look("A"), look("B")], gave_up(), [look("B"), look("A")], look("A"), "A."]
    tools = [Rooms("look")]
    trajectory, model, _ = await rollout(*script, tools=tools, planner=narrow(width=4))
    assert [call.arguments["city"] for call in model.requests[2].avoid] == ["A", "B"]
    assert [step.note for step in trajectory.steps[2:4]] == ["repeats step 1", ""]
    assert len(tools[0].calls) == 2
    assert trajectory.steps[3].observations[0].provenance == "reused"


async def test_a_read_is_reused_on_another_branch():
    tools = [Rooms("look")]
    script = [look("A"), look("B"), gave_up(), look("C"), look("B", "x"), "Done."]
    trajectory, _, _ = await rollout(*script, tools=tools)
    assert [call["city"] for call in tools[0].calls] == ["A", "B", "C"]
    assert trajectory.steps[4].observations[0].provenance == "reused"


@pytest.mark.parametrize(
    ("budget", "quantity"),
    [({"steps": 3}, "steps"), ({"model_calls": 3}, "model_calls"), ({"tool_calls": 2}, "tool_calls")],
)
async def test_a_spent_budget_ends_it(budget, quantity):
    trajectory, model, _ = await rollout(*[look(str(n)) for n in range(9)], **budget)
    assert (trajectory.status, trajectory.error.details["quantity"]) == ("budget", quantity)
    assert len(model.requests) == 3
    made = [found for found in trajectory.observations() if not found.failed]
    assert len(made) == min(3, budget.get("tool_calls", 3))


@pytest.mark.parametrize("quantity", ["steps", "model_calls", "tool_calls", "tokens", "cost", "seconds"])
async def test_a_budget_of_nothing(quantity):
    trajectory, model, _ = await rollout(*[look(str(n)) for n in range(9)], **{quantity: 0})
    assert trajectory.status == "budget"
    assert len(model.requests) == (1 if quantity == "tool_calls" else 0)
    assert trajectory.usage.tool_calls == 0


async def test_an_answer_in_hand_survives_the_budget():
    tools = [Rooms("look", A=SOLD_OUT)]
    trajectory, _, _ = await rollout(look("A"), "No room.", tools=tools, steps=2)
    assert (trajectory.status, trajectory.answer, trajectory.error) == ("answered", "No room.", None)


async def test_a_give_up_in_hand_survives_the_budget_too():
    trajectory, _, _ = await rollout(look("A"), gave_up("stuck"), look("B"), steps=3)
    assert (trajectory.status, trajectory.answer, trajectory.answer_step) == ("gave_up", "stuck", 1)
    assert trajectory.settings["search"]["ended"] == "budget"


async def test_the_same_reads_in_another_order_are_the_same_point():
    tools = [Rooms("look")]
    script = [
        look("A"),
        look("B"),
        gave_up(),
        look("C"),
        gave_up(),
        look("B", "x"),
        look("A", "y"),
        look("D"),
        "D.",
    ]
    trajectory, _, _ = await rollout(*script, tools=tools)
    assert [step.parent for step in trajectory.steps] == [None, 0, 1, 0, 3, None, 5, 5, 7]
    assert trajectory.steps[6].note == "repeats step 2"
    assert (trajectory.status, trajectory.answer) == ("answered", "D.")


async def test_after_a_write_on_another_branch_reads_may_be_made_again():
    tools = [Rooms("look"), Rooms("book", "write")]
    script = [look("A"), [look("B"), book("B")], gave_up(), look("A", "x"), "A."]
    trajectory, _, _ = await rollout(*script, tools=tools, planner=DFSDT(past_writes=True))
    assert [call["city"] for call in tools[0].calls] == ["A", "B", "A"]
    assert trajectory.answer == "A."


async def test_endless_parallel_calls_end_with_the_budget():
    calls = [[look(f"{turn}-{n}") for n in range(40)] for turn in range(9)]
    tools = [Rooms("look")]
    trajectory, _, _ = await rollout(*calls, tools=tools, tool_calls=100)
    assert (trajectory.status, len(tools[0].calls)) == ("budget", 80)
    assert trajectory.steps[-1].status == "failed"


async def test_what_no_tool_returned_is_in_no_observation():
    trajectory, _, _ = await rollout("Booked room 7, reference XYZ.")
    assert trajectory.status == "answered"
    assert list(trajectory.observations()) == []


@pytest.mark.parametrize(
    "settings",
    [
        *(
            {name: value}
            for name in ("width", "widest", "depth", "back_off", "answers")
            for value in (0, -1, True, 1.5)
        ),
        {"model_calls": 0},
        {"counting": "tokens"},
        {"doubt": "no"},
        {"past_writes": 1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(UsageError) as caught:
        DFSDT(**settings)
    assert caught.value.where == "planner dfsdt"


async def failing(*turns, tools):
    context = RunContext(id="r", policy=Policy(allow=("write",)))
    trajectory = None
    model = ScriptedModel(*turns)
    try:
        async for event in DFSDT().rollout(TASK, ToolSet(Catalog(tools)), model, context):
            if event.type == "rollout_finished":
                trajectory = event.trajectory
    except (ModelError, ToolCrashError) as error:
        assert from_json(Trajectory, to_json(trajectory)) == trajectory
        return error, trajectory
    raise AssertionError("no error came")


async def test_a_failing_model_ends_it_after_the_record():
    error, trajectory = await failing(look("A"), gave_up(), ModelError("down"), tools=[Rooms("look")])
    assert isinstance(error, ModelError)
    assert (trajectory.status, trajectory.error.code, len(trajectory.steps)) == ("error", "E-MODEL", 2)


async def test_a_crash_keeps_what_was_done():
    tools = [Rooms("look"), Rooms("book", "write", B=ValueError("bug"))]
    calls = [book("A"), book("B"), book("C")]
    error, trajectory = await failing(look("A"), gave_up(), calls, tools=tools)
    assert isinstance(error, ToolCrashError)
    assert shape(trajectory)[-1] == (None, "failed")
    done, crashed, unmade = trajectory.steps[-1].observations
    assert done.value() == {"room": "A"}
    assert (crashed.error.code, unmade.error.code) == ("E-TOOL-CRASH", "E-UNANSWERED")


async def test_text_comes_piece_by_piece():
    context = RunContext(id="r", deltas=True)
    _, _, events = await rollout(look("A"), gave_up("No way."), look("B"), "Room B.", context=context)
    assert [event.text for event in events if event.type == "text_delta"] == ["No way.", "Room B."]
