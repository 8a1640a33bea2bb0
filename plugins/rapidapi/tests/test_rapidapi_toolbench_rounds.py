"""Answers of every shape, made at random: read, written, and read again as they were."""

import json
from random import Random

import pytest

from toolhaft.errors import FormatError
from toolhaft.types import Trajectory, from_json, to_json
from toolhaft_rapidapi.statuses import ERRORS, MEANINGS, StatusCode
from toolhaft_rapidapi.toolbench.codes import observation_of, text_and_code
from toolhaft_rapidapi.toolbench.converted import export_converted, import_converted
from toolhaft_rapidapi.toolbench.exporting import export_answer
from toolhaft_rapidapi.toolbench.importing import import_answer, read_arguments
from toolhaft_rapidapi.toolbench.training import export_conversations

pytestmark = pytest.mark.slow  # some hundred trees

ENDS = (
    *('{"return_type": "give_answer", "final_answer": "ok"}', '{"return_type":"give_answer"', "", "[]"),
    *('{"return_type": "give_answer", "final_answer": "two\nlines"}', '{"final_answer": ["a"]}', '"text"'),
    *('{"return_type": "give_up_and_restart"}', '{"return_type": "give_answer", "final_answer": ""}'),
)
NAMES = ("weather", "a.b_for_x", "日本_for_天気", "x" * 120, "it's", "Finish", "from", "", " ")
ARGUMENTS = (
    '{"city": "Oslo"}',
    "{}",
    "",
    "{broken",
    "[1]",
    '{"id": 1, "from": null}',
    '{"a": NaN}',
    '{"a": 1e999}',
)
SAID = (
    '{"error": "", "response": "x"}',
    '{"error": "Timeout", "response": ""}',
    "",
    '{"error": "cut',
    "é" * 50,
)


def node(kind, text, below, **marks):
    """Return a node as the reference writes it."""
    return {
        "is_terminal": False,
        "pruned": False,
        "finished": False,
        "depth": 0,
        "node_type": kind,
        "description": text,
        "Elo": 1000.0,
        "child_count": len(below),
        "expand_num": 0,
        "children": below,
        **({"io_state": {}} if kind == "Action Input" else {}),
        **marks,
    }


class Growing:
    """Grows a tree of rounds: thoughts alone, one call or several, ends of all kinds, pruned branches."""

    def __init__(self, seed, *, chain):
        self.draw = Random(seed)
        self.chain = chain
        self.numbered = self.draw.random() < 0.7
        self.depth = self.draw.randint(1, 5)
        self.rounds = 0

    def tree(self):
        wide = 1 if self.chain else self.draw.choice((1, 1, 2, 3))
        root = node("Action Input", "", [self.grow(1) for _ in range(wide)])
        deepen(root)
        return root

    def grow(self, depth):
        draw = self.draw
        self.rounds += 1
        number = self.rounds if self.numbered else 0
        leaf = depth >= self.depth or draw.random() < 0.25
        wide = 0 if leaf else 1 if self.chain else draw.choice((1, 1, 1, 2, 3))
        below = [self.grow(depth + 1) for _ in range(wide)]
        calls = [
            (
                draw.choice(NAMES),
                draw.choice(ARGUMENTS),
                draw.choice(SAID),
                draw.choice((0, 0, 1, 2, 5, 8, 12, -1, 99)),
            )
            for _ in range(draw.choice((0, 1, 1, 2, 3)) if self.numbered else draw.choice((0, 1, 1)))
        ]
        if leaf and draw.random() < 0.6:
            calls = [("Finish", draw.choice(ENDS), draw.choice(SAID), draw.choice((3, 3, 4, 2, 0)))]
        thought = draw.choice((None, "", "Think.", "Think.\nMore"))
        marks = {"expand_num": number, "pruned": leaf and draw.random() < 0.5}
        for name, arguments, said, code in reversed(calls):
            observed = {"observation": said} if said else {}
            inner = node("Action Input", arguments, below, **marks, **observed, observation_code=code)
            below, marks = [node("Action", name, [inner])], {}
        if thought is not None or not calls:
            below = [node("Thought", thought or "", below, **marks)]
        return below[0]


def deepen(tree, depth=0):
    tree["depth"] = depth
    for child in tree["children"]:
        deepen(child, depth + 1)


def flat(tree):
    """Return a chain's nodes without their children."""
    found = []
    while tree is not None:
        found.append({name: value for name, value in tree.items() if name != "children"})
        tree = tree["children"][0] if tree["children"] else None
    return found


def answer(seed):
    chain = seed % 3 == 0
    draw = Random(seed)
    function = {"name": "weather", "description": "Weather.", "parameters": {"type": "object"}}
    found = {
        "win": False,
        "forward_args": {"max_query_count": 200},
        "answer_generation": {
            "valid_data": draw.random() < 0.5,
            "query_count": 4,
            "total_tokens": 900,
            "final_answer": draw.choice(("", *ENDS)),
            "finish_type": draw.choice(("give_answer", "give_up")),
            "function": [function, {"name": "Finish", "description": "Ends.", "parameters": {}}],
            "query": "Rain in Oslo?",
        },
    }
    if chain:
        trees = [Growing(f"{seed} {number}", chain=True).tree() for number in range(draw.randint(1, 3))]
        # The reference leaves the empty root out of some chains.
        found["trys"] = [{"chain": flat(tree)[draw.randrange(2) :], "win": False} for tree in trees]
    else:
        found["tree"] = {"tree": Growing(seed, chain=False).tree()}
    return found


def said(found):
    """Return what a tree or chains say, without marks that are the reference's own."""
    if "trys" in found:
        return [[shown(each) for each in chain["chain"] if each["depth"]] for chain in found["trys"]]

    def below(tree):
        return [
            *shown(tree),
            tree["expand_num"],
            tree["pruned"],
            [below(child) for child in tree["children"]],
        ]

    return below(found["tree"]["tree"])


def shown(each):
    return [each["node_type"], each["description"], each.get("observation", ""), each.get("observation_code")]


@pytest.mark.parametrize("part", range(4))
def test_answers_of_every_shape_come_back(part):
    for seed in range(part * 60, part * 60 + 60):
        source = answer(seed)
        trajectory = import_answer(source, task_id="7")
        trajectory.check()
        assert from_json(Trajectory, to_json(trajectory)) == trajectory, seed
        written = export_answer(trajectory)
        assert said(written) == said(source), seed
        assert import_answer(json.loads(json.dumps(written)), task_id="7") == trajectory, seed
        for variant in ("full", "short"):
            (converted,) = export_converted([trajectory], variant=variant).values()
            import_converted(json.loads(json.dumps(converted)))
        export_conversations([trajectory], gave_up=True, thoughts=True, origins=trajectory.origins)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ""),
        ("{broken", "not JSON"),
        ("[1]", "instead of an object"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": 1e999}', "1e999 is no number of JSON"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "nested too deeply"),
        ('{"a": ' + "[" * 100_000, "not JSON"),
    ],
    ids=range(7),
)
def test_arguments_that_no_record_can_hold_are_told(text, problem):
    arguments, told = read_arguments(text)
    assert arguments == {}
    assert problem in told
    assert bool(told) is bool(problem)


@pytest.mark.parametrize("code", list(StatusCode))
def test_every_code_has_one_meaning_and_error_and_comes_back(code):
    observation = observation_of("it said so", int(code), call_id="1", tool="t")
    assert text_and_code(observation) == ("it said so", int(code))
    if code is StatusCode.OK:
        assert observation.error is None
    else:
        assert observation.error.what == MEANINGS[code]
        kind = ERRORS[code]
        assert observation.error.code == (kind.code if kind is not None else "E-TOOL")


def test_a_code_that_nobody_knows_is_kept():
    observation = observation_of("odd", 99, call_id="1", tool="t")
    assert (observation.error.code, text_and_code(observation)) == ("E-TOOL", ("odd", 99))


def test_a_converted_message_of_a_long_name_is_read_as_far_as_it_goes():
    name = "n" * 150
    details = [{"role": "tool", "message": f"{{'name': '{name}"[:100], "next": []}]
    source = {"query": "Rain?", "available_tools": [], "answer": {"answer_details": details}}
    (step,) = import_converted(source).steps
    assert step.calls[0].name == "n" * 90
    source["answer"]["answer_details"][0]["message"] = "no name"
    with pytest.raises(FormatError, match="without a name"):
        import_converted(source)
