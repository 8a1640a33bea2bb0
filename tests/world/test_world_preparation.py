"""How runs begin for tasks: setups, faults, and what the user says yes to."""

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.policy import CallRequest, Decision
from toolhaft.types import Task, ToolSpec, from_json, to_json
from toolhaft.world.approval import approver_of
from toolhaft.world.server import World
from toolhaft.world.tasks import KINDS, kind_of, load_tasks, preparation_of, sample_tasks

ASKED = Decision("ask", "it needs leave")


def task(**metadata):
    return Task(id="t", instruction="Do.", metadata=metadata)


def request(tool, effect, **arguments):
    spec = ToolSpec(name=tool, description="A tool.", parameters={"type": "object"}, effect=effect)
    return CallRequest(spec=spec, arguments=arguments)


@pytest.mark.parametrize(
    ("approve", "tool", "effect", "arguments", "said"),
    [
        ([], "endLease", "irreversible", {}, False),
        ([], "leasePlot", "write", {}, True),
        ([], "listPlots", "read", {}, True),
        (["endLease"], "endLease", "irreversible", {"plot_id": "P-1"}, True),
        (["endLease"], "endLeases", "irreversible", {}, False),
        (["leasePlot"], "endLease", "irreversible", {}, False),
        ([{"tool": "endLease"}], "endLease", "irreversible", {}, True),
        ([{"tool": "pay", "arguments": {"to": "a"}}], "pay", "irreversible", {"to": "a", "n": 3}, True),
        ([{"tool": "pay", "arguments": {"to": "a"}}], "pay", "irreversible", {"to": "b"}, False),
        ([{"tool": "pay", "arguments": {"to": "a"}}], "pay", "irreversible", {}, False),
        ([{"tool": "pay", "arguments": {"n": 3}}], "pay", "irreversible", {"n": 3.0}, True),
        ([{"tool": "pay", "arguments": {"n": 1}}], "pay", "irreversible", {"n": True}, False),
        ([{"tool": "pay", "arguments": {"n": None}}], "pay", "irreversible", {"n": None}, True),
        (
            [{"tool": "pay", "arguments": {"a": {"b": [1]}}}],
            "pay",
            "irreversible",
            {"a": {"b": [1], "c": 2}},
            True,
        ),
        (
            [{"tool": "pay", "arguments": {"a": {"b": [1]}}}],
            "pay",
            "irreversible",
            {"a": {"b": [1, 2]}},
            False,
        ),
        ([{"tool": "pay", "arguments": {"to": "a"}}, "pay"], "pay", "irreversible", {"to": "b"}, True),
    ],
)
def test_what_the_user_says_yes_to(approve, tool, effect, arguments, said):
    assert approver_of(task(approve=approve))(request(tool, effect, **arguments), ASKED) is said


def test_malformed_approvals_setups_and_faults_are_refused():
    with pytest.raises(FormatError, match="t#/approve/0"):
        approver_of(task(approve=[{}]))
    with pytest.raises(FormatError, match="t#/faults/0"):
        preparation_of(task(faults=[{"tool": "x", "n": 1}]))
    with pytest.raises(FormatError, match="t#/setup"):
        preparation_of(task(setup=3))
    with pytest.raises(FormatError, match="more than 200 rows"):
        preparation_of(task(setup=[{"remove": "/x"}] * 201))


def test_all_that_a_task_says_lands_in_its_metadata(garden):
    tasks = {row.id: row for row in load_tasks(garden / "tasks")}
    assert tasks["kim-moves-away"].metadata["approve"] == [
        {"tool": "endLease", "arguments": {"plot_id": "P-1"}}
    ]
    assert tasks["kim-moves-away"].metadata["setup"] == [
        {"set": "/garden/leases/L-1/crop", "value": "nothing"}
    ]
    assert tasks["beans-for-ann"].metadata["faults"][0]["status"] == 423
    assert set(tasks["plot-for-a-family"].metadata) == {"seed", "solution"}
    for row in tasks.values():
        assert preparation_of(from_json(Task, to_json(row))) == preparation_of(row)


@pytest.mark.anyio
async def test_runs_are_prepared_apart_from_each_other(garden):
    world = World(folder=garden)
    leases = {"set": "/garden/leases/L-2", "value": {"lease_id": "L-2", "plot_id": "P-2"}}
    await world.prepare("a", task(setup=[leases, {"remove": "/garden/plots/P-3"}]))
    await world.prepare("b", task(setup=[{"set": "/garden/leases/L-1/until", "value": "${today}"}]))
    states = [(await world.state(name))["garden"] for name in "abc"]
    assert [list(state["leases"]) for state in states] == [["L-1", "L-2"], ["L-1"], ["L-1"]]
    assert [len(state["plots"]) for state in states] == [2, 3, 3]
    assert [state["leases"]["L-1"]["until"] for state in states] == ["2026-12-31", "2026-06-01", "2026-12-31"]
    assert (await world.state("a"))["writes"] == []
    await world.prepare("a", task())
    assert (await world.state("a"))["garden"] == states[2]


@pytest.mark.anyio
async def test_a_setup_that_cannot_be_made_is_said_and_leaves_a_run_at_its_beginning(garden):
    world = World(folder=garden)
    rows = [{"remove": "/garden/plots/P-1"}, {"remove": "/garden/plots/P-9"}]
    with pytest.raises(UsageError, match="t#/setup: There is nothing at /garden/plots/P-9"):
        await world.prepare("a", task(setup=rows))
    assert len((await world.state("a"))["garden"]["plots"]) == 3
    with pytest.raises(UsageError, match="no run"):
        await world.prepare("a b", task())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"set": "/garden", "value": "gone"}, "/garden itself"),
        ({"remove": "/garden"}, "/garden itself"),
        ({"set": "/writes", "value": [{}]}, "change /writes"),
        ({"set": "/today", "value": "2030-01-01"}, "change /today"),
        ({"set": "/garden/plots", "value": []}, "/garden/plots itself"),
        ({"remove": "/garden/plots"}, "/garden/plots itself"),
        ({"set": "/garden/sheds", "value": {}}, "no /garden/sheds"),
        ({"set": "/garden/plots/P-1", "value": 3}, "no object: /garden/plots/P-1"),
    ],
)
@pytest.mark.anyio
async def test_a_setup_keeps_the_shape_of_the_state(garden, row, message):
    world = World(folder=garden)
    with pytest.raises(UsageError, match=message):
        await world.prepare("a", task(setup=[row]))
    await world.prepare("a", task(setup=[{"remove": "/garden/plots", "where": {}}]))
    assert (await world.state("a"))["garden"]["plots"] == {}


@pytest.mark.anyio
async def test_an_operation_that_a_setup_broke_is_refused_not_fatal():
    import httpx

    async with World(services=["weather"]) as world:
        await world.prepare("a", task(setup=[{"remove": "/weather/subscriptions/SUB-301/place_id"}]))
        body = {"place_id": "plc-rome-it", "email": "a@example.org"}
        answer = httpx.post(f"{world.service_url('weather', 'a')}/alert-subscriptions", json=body)
        assert answer.status_code == 500
        assert "createAlertSubscription does not work on this state" in answer.json()["detail"]


@pytest.mark.anyio
async def test_faults_come_when_they_are_due_and_no_longer(garden):
    import httpx

    faults = [
        {"tool": "listPlots", "after": 1, "times": 2, "status": 500, "detail": "Down", "retry_after": 7},
        {"tool": "listPlots", "after": 2, "status": 429},
        {"tool": "leasePlot", "status": 599},
    ]
    async with World(folder=garden) as world:
        await world.prepare("a", task(faults=faults))
        url = world.service_url("garden", "a")
        headers = {"X-Garden-Key": world.secrets["TOOLHAFT_WORLD_GARDEN_KEY"]}
        refused = httpx.get(f"{url}/plots", headers=headers, params={"free": "maybe"})
        answers = [httpx.get(f"{url}/plots", headers=headers) for _ in range(6)]
        assert refused.status_code == 422  # what breaks the contract is no good call
        assert [answer.status_code for answer in answers] == [200, 500, 500, 200, 429, 200]
        assert (answers[1].json()["detail"], answers[1].headers["retry-after"]) == ("Down", "7")
        assert "retry-after" not in answers[4].headers
        body = {"gardener": "Bo Ek"}
        leases = [httpx.post(f"{url}/plots/P-2/lease", headers=headers, json=body) for _ in range(2)]
        assert [answer.status_code for answer in leases] == [599, 201]
        assert leases[0].json()["title"] == "Refused"
        assert len((await world.state("a"))["writes"]) == 1
        await world.prepare("a", task())
        assert httpx.get(f"{url}/plots", headers=headers).status_code == 200


def test_a_sample_is_spread_and_always_the_same():
    tasks = load_tasks()
    sample = sample_tasks(tasks, 24)
    assert len(sample) == 24
    assert sample == sample_tasks(tasks, 24)
    assert {kind_of(row) for row in sample} == {kind_of(row) for row in tasks} <= set(KINDS)
    assert len({tag for row in sample for tag in row.tags} - set(KINDS)) >= 12
    positions = [tasks.index(row) for row in sample]
    assert positions == sorted(positions)
    assert sample_tasks(tasks, 10_000) == tasks
    assert sample_tasks((), 3) == ()
