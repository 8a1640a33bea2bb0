"""Every record goes to JSON and back, and what is damaged is refused with the place."""

import json
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft import types
from toolhaft.errors import ConfigError, FormatError
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    Budget,
    CallFinished,
    CallStarted,
    Completion,
    ErrorInfo,
    Event,
    Exchange,
    Gold,
    JSONPart,
    Message,
    Observation,
    Prediction,
    RolloutFinished,
    RolloutStarted,
    Score,
    Scored,
    SecretRef,
    Step,
    StepFinished,
    Task,
    TextDelta,
    TextPart,
    ToolCall,
    ToolSpec,
    ToolsRetrieved,
    Trajectory,
    Usage,
    from_json,
    from_value,
    to_json,
    to_value,
)

ARTIFACT = Artifact(id="0" * 64, media_type="image/png", size=3, name="a.png")
CALL = ToolCall(id="c1", name="getPet", arguments={"id": 1, "tags": ["a", None]}, raw="{", repaired=True)
ERROR = ErrorInfo(code="E-TOOL", what="no", where="x", hint="y", effect="uncertain", details={"a": [1]})
OBSERVATION = Observation(
    call_id="c1",
    tool="getPet",
    parts=(TextPart("ä"), JSONPart({"a": [1, 2.5, None, True]}), ArtifactPart(ARTIFACT)),
    labels=("tool:getPet",),
    exchanges=(Exchange(method="GET", url="http://a/", request_headers=(("a", "b"),)),),
    arguments_from=(("id", ("user",)),),
    provenance="cached",
)
SPEC = ToolSpec(
    name="getPet",
    description="Get a pet.",
    tags=("pets",),
    returns={"type": "object"},
    timeout=2.5,
    examples=({"id": 1},),
    metadata={"x": None},
)
TASK = Task(
    id="t",
    instruction="do",
    artifacts=(ARTIFACT,),
    gold=Gold(tools=("a",), calls=(CALL,), state=({"a": 1},), solvable=False, asks=("day|date",)),
    metadata={"a": 1},
)
STEP = Step(
    id=0, thought="t", calls=(CALL,), observations=(OBSERVATION,), usage=Usage(cost=0.5), labels=("user",)
)
TRAJECTORY = Trajectory(
    id="r",
    task=TASK,
    steps=(STEP, Step(id=1, parent=0, status="answered")),
    answer="done",
    answer_step=1,
    error=ERROR,
    tools=(SPEC,),
    retrieved=(("getPet", 1.5),),
    budget=Budget(cost=1.0),
    final_state={"pets": []},
)
RECORDS = [
    ARTIFACT,
    ERROR,
    OBSERVATION,
    SPEC,
    TASK,
    STEP,
    TRAJECTORY,
    CALL,
    Scored(SPEC, 0.5),
    SecretRef("env:KEY"),
    Score(name="s", value=0.5, details={"a": 1}, parts={"api": 1.0}, outcome="wrong_arguments"),
    Prediction(task_id="t", text="x", calls=(CALL,), model="m", metadata={"a": 1}, usage=Usage(cost=1.5)),
    Budget(steps=None, seconds=1.5),
    Message(role="tool", text="x", call_id="c", artifacts=(ARTIFACT,), calls=(CALL,)),
    Completion(text="x", calls=(CALL,), finish="length", usage=Usage(input_tokens=1), origin="replay"),
]
EVENTS = [
    RolloutStarted(task=TASK, planner="react", model="m"),
    ToolsRetrieved(hits=(("a", 1.0),), retriever="bm25", pool=9),
    TextDelta(text="x"),
    CallStarted(step=0, call=CALL),
    CallFinished(step=0, call=CALL, observation=OBSERVATION),
    StepFinished(step=STEP),
    RolloutFinished(trajectory=TRAJECTORY),
]
DATA_TYPES = [value for value in vars(types).values() if isinstance(value, type) and is_dataclass(value)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_go_to_json_and_back(record):
    assert from_json(type(record), to_json(record)) == record
    assert from_value(type(record), json.loads(json.dumps(to_value(record)))) == record


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_events_are_told_apart_by_their_type(event):
    again = from_json(Event, to_json(event))
    assert type(again) is type(event)
    assert again == event


def test_every_kind_of_event_is_tested():
    assert {type(event) for event in EVENTS} == set(Event.__args__)


@pytest.mark.parametrize("kind", DATA_TYPES, ids=lambda kind: kind.__name__)
def test_data_is_frozen_and_slotted(kind):
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    assert "__dict__" not in dir(kind)


def test_data_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        TASK.id = "other"


@pytest.mark.parametrize("kind", [Task, ToolSpec, Trajectory], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("given_format", [2, 0, -1, "1", 1.5, True, None, []])
def test_other_formats_are_refused(kind, given_format):
    record = next(record for record in RECORDS if type(record) is kind)
    value = to_value(record) | {"format": given_format}
    with pytest.raises(FormatError, match=r"data\.jsonl:7: format .* is not known") as caught:
        from_value(kind, value, where="data.jsonl:7")
    assert "pip install -U toolhaft" in caught.value.hint


def test_records_that_stand_alone_carry_the_format():
    for kind in (Task, ToolSpec, Trajectory):
        assert {field.name: field.default for field in fields(kind)}["format"] == types.FORMAT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": NaN, "instruction": "x"}', "not JSON"),
        (b'{"id": 1234567890123456789012, "a": Infinity}', "not JSON"),
        (b'"text"', "not a Task"),
        (b"[]", "not a Task"),
        (b"null", "not a Task"),
        (b'{"id": "t"}', r"tasks\.jsonl#/instruction: not a Task"),
        (b'{"id": "t", "instruction": 5}', r"tasks\.jsonl#/instruction: not a Task"),
        (b'{"id": "t", "instruction": "x", "gold": {"calls": [{"id": "c"}]}}', r"#/gold/calls/0/name"),
    ],
)
def test_damaged_records_are_refused_with_the_place(data, said):
    with pytest.raises(FormatError, match=said):
        from_json(Task, data, where="tasks.jsonl")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"answer_step": 9}, "#/answer_step"),
        ({"answer_step": -1}, "#/answer_step"),
        ({"steps": [{"id": 0, "parent": 0}]}, "#/steps/0"),
        ({"steps": [{"id": 0}, {"id": 1, "parent": 5}]}, "#/steps/1"),
        ({"steps": [{"id": 0}, {"id": 1, "parent": -1}]}, "#/steps/1"),
        ({"steps": [{"id": 3}]}, "#/steps/0"),
        ({"steps": [{"id": 0}, {"id": 0}]}, "#/steps/1"),
        ({"status": "splendid"}, "#/status"),
        ({"task": None}, "#/task"),
    ],
)
def test_steps_that_make_no_tree_are_refused(change, pointer):
    value = to_value(TRAJECTORY) | change
    with pytest.raises(FormatError) as caught:
        from_value(Trajectory, value)
    assert pointer in str(caught.value)


def test_a_damaged_trajectory_in_an_event_is_refused():
    value = to_value(EVENTS[-1])
    value["trajectory"]["answer_step"] = 77
    with pytest.raises(FormatError, match="there is no step 77"):
        from_value(Event, value)


def test_fields_of_a_later_version_are_left_out():
    assert from_value(Task, {"id": "t", "instruction": "x", "mood": "good"}) == Task(id="t", instruction="x")


def test_integers_of_any_size_stay_exact():
    part = JSONPart({"id": 2**70, "near": 2**63, "low": -(2**64)})
    assert from_json(JSONPart, to_json(part)) == part


@pytest.mark.parametrize(
    "name", ["KEY", "env:", "s3cr3t-value", "env:A B", "ENV:KEY", "env:" + "A" * 129, ""]
)
def test_a_secret_by_value_is_refused_and_not_repeated(name):
    with pytest.raises(ConfigError) as caught:
        SecretRef(name)
    assert len(name) < 5 or name not in str(caught.value)


@pytest.mark.parametrize("depth", [200, 256, 300])
def test_deep_arguments_can_be_stored(depth):
    value = 1
    for _ in range(depth):
        value = {"a": value}
    call = ToolCall(id="c", name="t", arguments=value)
    record = Trajectory(id="r", task=TASK, steps=(Step(id=0, calls=(call,)),))
    assert from_json(Trajectory, to_json(record)) == record
    assert from_value(Trajectory, to_value(record)) == record


@pytest.mark.parametrize("indent", [None, 2])
def test_lone_surrogates_are_replaced(indent):
    task = Task(id="t", instruction="caf\udce9")  # as Python reads arguments that are not UTF-8
    assert from_json(Task, to_json(task, indent=indent)).instruction == "caf?"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_value_survives_in_an_observation(value):
    observation = Observation(call_id="c", tool="t", parts=(JSONPart(value),))
    again = from_json(Observation, to_json(observation))
    assert again == observation
    assert isinstance(again.text(), str)


@given(data=st.binary(max_size=60) | st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_nonsense_is_refused_and_nothing_else_happens(data):
    try:
        from_json(Trajectory, data)
    except FormatError:
        return
    raise AssertionError("a trajectory was read from nonsense")


TRAJECTORY_VALUE = to_value(TRAJECTORY)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_one_wrong_value_anywhere_is_refused_or_harmless(data):
    value = json.loads(json.dumps(TRAJECTORY_VALUE))
    place = value
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    try:
        again = from_value(Trajectory, value)
    except (FormatError, ConfigError):
        return
    again.path()
    to_json(again)
