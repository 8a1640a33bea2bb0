"""What messages without calls mean, and what counts as nothing."""

import pytest

from toolhaft.planners.ending import read_ending, reason_of
from toolhaft.planners.evidence import is_empty, weigh
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    Completion,
    ErrorInfo,
    JSONPart,
    Observation,
    TextPart,
    ToolCall,
)

CALL = ToolCall(id="c", name="look", arguments={"city": "Oslo", "page": 1})


@pytest.mark.parametrize(
    ("text", "ending", "reason"),
    [
        ("GIVE UP", "gave_up", "GIVE UP"),
        ("GIVE UP: sold out", "gave_up", "sold out"),
        ("  **GIVE UP** - sold out.", "gave_up", "sold out."),
        ("GIVE_UP sold out", "gave_up", "sold out"),
        ("[GIVE UP] sold out?", "gave_up", "sold out?"),
        ("Both are sold out.\n\nGIVE UP: no rooms.", "gave_up", "Both are sold out.\n\nno rooms."),
        ("GIVE UPWARD mobility a chance.", "answered", None),
        ("Give up your seat.", "answered", None),
        ("I will not GIVE UP", "answered", None),
        ("Which one? ", "asked", None),
        (" \n", "silent", None),
    ],
)
def test_what_a_message_without_calls_means(text, ending, reason):
    completion = Completion(text=text)
    assert read_ending(completion) == ending
    if reason is not None:
        assert reason_of(completion) == reason


def test_the_finish_says_it_too():
    assert read_ending(Completion(text="Sold out?", finish="gave_up")) == "gave_up"
    assert read_ending(Completion(text="GIVE UP", finish="refusal")) == "refused"


NOTHING = [None, "", " \n", [], {}, {"rooms": []}, {"rooms": [], "total": 0, "city": "Oslo", "page": 1}]
NOTHING += [{"found": {"rooms": [], "more": False}}, {"rooms": None}]
SOMETHING = [0, False, 7, "none", [0], {"count": 0}, {"rooms": [], "total": 3}, {"rooms": [], "city": "Rome"}]
SOMETHING += [{"found": {"rooms": [1]}}, [[]]]


@pytest.mark.parametrize("value", NOTHING, ids=str)
def test_nothing(value):
    assert is_empty(Observation(call_id="c", tool="look", parts=(JSONPart(value),)), CALL)


@pytest.mark.parametrize("value", SOMETHING, ids=str)
def test_something(value):
    assert not is_empty(Observation(call_id="c", tool="look", parts=(JSONPart(value),)), CALL)


def test_text_and_images():
    image = ArtifactPart(Artifact(id="0" * 64, media_type="image/png", size=1))
    parts = {(): True, (TextPart(" "),): True, (TextPart("x"),): False, (image,): False}
    for given, empty in parts.items():
        assert is_empty(Observation(call_id="c", tool="look", parts=given), CALL) == empty
    assert not is_empty(Observation(call_id="c", tool="look", effect="write"), CALL)


def test_what_a_round_brought():
    good = Observation(call_id="c", tool="look", parts=(JSONPart(7),))
    bad = Observation(call_id="c", tool="look", error=ErrorInfo(code="E-TOOL", what="no"))
    wrong = Observation(call_id="c", tool="look", error=ErrorInfo(code="E-TOOL-ARGUMENTS", what="no"))
    no = Observation(call_id="c", tool="look", error=ErrorInfo(code="E-TOOL-REFUSED", what="no"))
    unsure = Observation(
        call_id="c",
        tool="pay",
        effect="write",
        error=ErrorInfo(code="E-TOOL", what="no answer", effect="uncertain"),
    )
    assert not weigh([], []).dead_end
    assert not weigh([CALL] * 2, [good, bad]).dead_end
    assert weigh([CALL] * 2, [bad, wrong]).dead_end
    assert not weigh([CALL] * 2, [bad, no]).dead_end
    assert (weigh([CALL], [wrong]).misfilled, weigh([CALL] * 2, [wrong, bad]).misfilled) == (True, False)
    assert (weigh([CALL], [unsure]).wrote, weigh([CALL], [bad]).wrote) == (True, False)
