"""A record keeps of the end state what was changed and what is checked."""

import pytest

from toolhaft.evaluators.state_check import check
from toolhaft.types import Gold, Task, to_json
from toolhaft.world.end_state import LEFT_OUT, end_state
from toolhaft.world.tasks import load_tasks, reference_solution

BEGINNING = {"today": "2026-06-01", "shop": {"last_id": 1, "a": {"1": {}}, "b": {"1": {}}}, "writes": []}


def task(*paths):
    return Task(id="t", instruction="i", gold=Gold(state=tuple({"path": path, "count": 0} for path in paths)))


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ((), {}),
        (("/shop/b",), {"b": {"1": {}}}),
        (("/shop/b/1/name",), {"b": {"1": {}}}),
        (("/shop",), {"last_id": 1, "a": {"1": {}}, "b": {"1": {}}}),
        (("/writes", "/nowhere/at/all"), {}),
    ],
)
def test_what_is_checked_is_kept(paths, kept):
    found = end_state(BEGINNING, BEGINNING, task(*paths))
    assert found["shop"] == kept
    assert found["today"] == "2026-06-01"
    assert found["writes"] == []
    assert sorted(found[LEFT_OUT]) == sorted(
        {f"shop/{name}" for name in BEGINNING["shop"] if name not in kept}
    )


def test_what_was_changed_is_kept():
    state = {**BEGINNING, "shop": {"last_id": 2, "a": {"1": {}, "2": {}}, "b": {"1": {}}, "new": []}}
    found = end_state(state, BEGINNING, task())
    assert found["shop"] == {"last_id": 2, "a": {"1": {}, "2": {}}, "new": []}
    assert found[LEFT_OUT] == ["shop/b"]


@pytest.mark.anyio
@pytest.mark.slow
async def test_checks_say_the_same_of_what_is_kept_and_of_all(world, caller, run):
    sizes = []
    for one in load_tasks()[::15]:
        for acts in (True, False):
            answer = ""
            await world.prepare(run, one)
            if acts and not one.metadata.get("faults"):

                async def call(name, arguments):
                    return caller.call(run, name, arguments)

                answer = await reference_solution(one).run(call)
            whole, kept = await world.state(run), await world.state(run, one)
            status = "answered"
            assert check(one, answer, whole, status=status) == check(one, answer, kept, status=status), one.id
            sizes.append(len(to_json(kept)) / len(to_json(whole)))
    assert sum(sizes) / len(sizes) < 0.15
