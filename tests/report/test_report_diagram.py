"""The drawn tree: where steps stand, what a node says, what each branch is called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.report.branches import branches_of, error_label
from toolhaft.report.diagram import diagram_html, fit
from toolhaft.report.html import render_html
from toolhaft.report.layout import lay_out
from toolhaft.types import ErrorInfo, Observation, Step, Task, TextPart, ToolCall, Trajectory


def steps_of(*parents):
    return [Step(id=position, parent=parent) for position, parent in enumerate(parents)]


def path_of(length):
    return steps_of(None, *range(length - 1))


def places_of(steps, answer):
    return {place.position: (place.column, place.row) for place in lay_out(steps, answer).places}


@pytest.mark.parametrize(
    ("parents", "answer", "places"),
    [
        ((), None, {}),
        ((None,), 0, {0: (1, 0)}),
        ((None, 0, 1), 2, {0: (1, 0), 1: (2, 0), 2: (3, 0)}),
        ((None, 0, 1, 0), 3, {0: (1, 0), 1: (2, 1), 2: (3, 1), 3: (2, 0)}),
        ((None, None, None), 2, {0: (1, 1), 1: (1, 2), 2: (1, 0)}),
        # A short branch further right shares no row with the trunk of an earlier one.
        ((None, 0, 0, 2, 2), 4, {0: (1, 0), 1: (2, 2), 2: (2, 0), 3: (3, 1), 4: (3, 0)}),
        # ... but a branch that ends before another begins takes the same row.
        ((None, None, 1, 2, 2), 4, {0: (1, 1), 1: (1, 0), 2: (2, 0), 3: (3, 1), 4: (3, 0)}),
        ((None, 0, 0), None, {0: (1, 0), 1: (2, 1), 2: (2, 0)}),
        ((5, 1, 2), 2, {0: (1, 1), 1: (1, 2), 2: (1, 0)}),
    ],
    ids=range(9),
)  # fmt: skip
def test_the_answer_is_straight_on_and_branches_below(parents, answer, places):
    assert places_of(steps_of(*parents), answer) == places


@given(st.data())
@pytest.mark.slow
def test_nothing_in_a_drawing_lies_on_anything_else(data):
    size = data.draw(st.integers(0, 40))
    parents = [
        data.draw(st.none() | st.integers(max(0, at - 8), at - 1)) if at else None for at in range(size)
    ]
    answer = data.draw(st.none() | st.integers(0, max(0, size - 1)))
    layout = lay_out(steps_of(*parents), answer)
    places = {place.position: place for place in layout.places}
    assert sorted(places) == list(range(size))
    assert len({(place.column, place.row) for place in places.values()}) == size
    assert all(place.row == 0 for place in places.values() if place.on_path)
    assert all(
        0 <= place.row < layout.rows and 0 < place.column < layout.columns for place in places.values()
    )
    crossed = {}  # who passes from a column to the next one in a row
    trunks = {}  # who goes down between two columns
    for place in places.values():
        parent = places.get(place.parent)
        column, row = (parent.column, parent.row) if parent else (0, 0)
        assert column < place.column
        assert row <= place.row
        if row == place.row:
            crossed[row, column] = place.parent
        for between in range(row + 1, place.row):
            trunks.setdefault((between, column), set()).add(place.parent)
        if row != place.row:
            trunks.setdefault((place.row, column), set()).add(place.parent)
    assert all(len(owners) == 1 for owners in trunks.values())
    assert not set(crossed) & set(trunks)


def test_a_deep_rollout_keeps_its_beginning_and_what_surrounds_the_answer():
    layout = lay_out(path_of(200), 199)
    assert [place.position for place in layout.places] == [*range(40), *range(190, 200)]
    assert layout.columns == 52
    assert layout.left_out == 150
    assert [place.position for place in layout.places if place.skips] == [190]
    middle = lay_out(path_of(200), 100)
    assert 100 in {place.position for place in middle.places}
    assert lay_out(path_of(60), 59).left_out == 0


def test_a_wide_rollout_keeps_the_way_to_the_answer():
    steps = steps_of(*[None] * 2_000, 1_999)
    layout = lay_out(steps, 2_000)
    assert len(layout.places) == 300
    assert {1_999, 2_000} <= {place.position for place in layout.places}
    assert layout.rows == 299


@pytest.mark.slow
def test_100_000_steps_take_no_recursion():
    assert lay_out(path_of(100_000), 99_999).left_out == 100_000 - 50


def rollout(*rows, answer=None, planner="dfsdt", status="answered"):
    """Return a trajectory of ``(parent, tool, status, error code, provenance)`` rows."""
    steps = []
    for position, (parent, tool, ended, code, provenance) in enumerate(rows):
        call = ToolCall(id=f"c{position}", name=tool, arguments={"query": "x"})
        details = {"status": int(code.split()[1])} if " " in code else {}
        error = ErrorInfo(code=code.split()[0], what="no", details=details) if code else None
        observation = Observation(
            call_id=call.id,
            tool=tool,
            parts=() if error else (TextPart("yes"),),
            error=error,
            provenance=provenance,
        )
        steps.append(
            Step(
                id=position,
                parent=parent,
                calls=(call,) if tool else (),
                observations=(observation,) if tool else (),
                status=ended,
            )
        )
    return Trajectory(
        id="r",
        task=Task(id="t", instruction="Do it"),
        steps=tuple(steps),
        answer_step=answer,
        planner=planner,
        status=status,
    )


SEARCH = (
    (None, "findFlights", "continued", "", "live"),
    (0, "bookFlight", "abandoned", "E-HTTP-STATUS 409", "live"),
    (1, "", "gave_up", "", "live"),
    (0, "findFlights", "abandoned", "", "reused"),
    (0, "bookTrain", "failed", "E-TOOL-ARGUMENTS", "live"),
    (0, "findTrains", "continued", "", "live"),
    (5, "", "answered", "", "live"),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"answer": 6},
            {
                1: "branch 1 of 4, gave up after E-HTTP-STATUS 409",
                3: "branch 2 of 4, abandoned",
                4: "branch 3 of 4, failed after E-TOOL-ARGUMENTS",
                5: "branch 4 of 4, leads to the answer",
            },
        ),
        (
            {"answer": 5, "status": "budget"},
            {
                1: "branch 1 of 4, gave up after E-HTTP-STATUS 409",
                3: "branch 2 of 4, abandoned",
                4: "branch 3 of 4, failed after E-TOOL-ARGUMENTS",
                5: "branch 4 of 4, where the rollout ended",
            },
        ),
    ],
)
def test_a_branch_says_its_number_and_how_it_ended(changes, expected):
    found = branches_of(rollout(*SEARCH, **changes))
    assert {position: str(branch) for position, branch in found.items()} == expected


def test_tries_are_called_so_and_are_roots():
    rows = (
        (None, "find", "abandoned", "E-HTTP-STATUS 500", "live"),
        (0, "", "gave_up", "", "live"),
        (None, "find", "continued", "", "live"),
        (2, "", "answered", "", "live"),
    )
    tries = rollout(*rows, answer=3, planner="react@2")
    assert [str(branch) for branch in branches_of(tries).values()] == [
        "try 1 of 2, gave up after E-HTTP-STATUS 500",
        "try 2 of 2, leads to the answer",
    ]
    assert [str(b)[:6] for b in branches_of(rollout(*rows, answer=3)).values()] == ["branch", "branch"]
    assert ">tries</text>" in diagram_html(tries, "task-1").code


@pytest.mark.parametrize(
    ("details", "label"),
    [
        ({}, "E-X"),
        ({"status": 409}, "E-X 409"),
        ({"status": "409"}, "E-X"),
        ({"status": True}, "E-X"),
        ({"status": 7}, "E-X"),
        ({"status": 10**400}, "E-X"),
    ],
    ids=range(6),
)
def test_an_http_error_carries_its_status(details, label):
    assert error_label(ErrorInfo(code="E-X", what="no", details=details)) == label


def test_every_node_is_a_list_item_that_links_to_its_step(outline):
    document = render_html([rollout(*SEARCH, answer=6)])
    found = outline(document)
    assert document.count('role="list"') == 1
    assert document.count('role="listitem"') == 7
    assert set(found.links) <= {f"#{name}" for name in found.ids}
    labels = re.findall(r"<title>(Step [^<]+)</title>", document)
    assert labels == [
        "Step 1: findFlights, went on, after the task, on the way to the answer",
        "Step 2: bookFlight, abandoned, E-HTTP-STATUS 409, after step 1, "
        "branch 1 of 4, gave up after E-HTTP-STATUS 409",
        "Step 3: no call, gave up, after step 2",
        "Step 4: findFlights, abandoned, reused, after step 1, branch 2 of 4, abandoned",
        "Step 5: bookTrain, failed, E-TOOL-ARGUMENTS, after step 1, "
        "branch 3 of 4, failed after E-TOOL-ARGUMENTS",
        "Step 6: findTrains, went on, after step 1, branch 4 of 4, leads to the answer, "
        "on the way to the answer",
        "Step 7: no call, answer, after step 6, on the way to the answer",
    ]


def test_each_status_has_a_shape_of_its_own_and_is_explained():
    code = diagram_html(rollout(*SEARCH, answer=6), "task-1").code
    shapes = {
        status: re.search(rf'class="node {status} (?:on|side)".*?<path d="([^"]+)" class="shape"', code)[1]
        for status in ("continued", "abandoned", "gave_up", "failed")
    }
    assert len(set(shapes.values())) == 4
    assert re.search(r'class="node answered on".*?class="ring"', code)
    assert re.findall(r"</svg>([^<]+)</li>", code) == [
        "went on",
        "answer",
        "abandoned",
        "gave up",
        "failed",
        "an error came back",
        "way to the answer",
    ]
    alone = diagram_html(rollout((None, "", "answered", "", "live"), answer=0), "task-1").code
    assert re.findall(r"</svg>([^<]+)</li>", alone) == ["answer", "way to the answer"]


def test_a_reused_observation_names_the_step_that_it_repeats(text_of):
    document = render_html([rollout(*SEARCH, answer=6)])
    assert "reused from step 1" in text_of(document)
    assert document.count(">from step 1</a>") == 1


def test_what_is_not_drawn_is_said(text_of):
    rows = [(position - 1 if position else None, "find", "continued", "", "live") for position in range(200)]
    shown = text_of(render_html([rollout(*rows, answer=199)]))
    assert "150 steps of this tree not drawn; the list below has them." in shown


def test_without_steps_nothing_is_drawn():
    assert diagram_html(rollout(), "task-1") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("findPets", "findPets"),
        ("a" * 16, "a" * 16),
        ("a" * 17, "a" * 15 + "…"),
        ("日本語の道具の名前です", "日本語の道具の…"),
        ("\x00\n<b>", "␀ <b>"),
        ("", ""),
    ],
    ids=range(6),
)
def test_names_fit_under_their_node(name, shown):
    assert fit(name, 16) == shown
