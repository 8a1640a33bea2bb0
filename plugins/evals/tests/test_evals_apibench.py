"""Which API an answer calls: the strict match, the published rule, and why they differ."""

import time

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.prediction import trajectory_of
from toolhaft.types import Prediction, Task, ToolCall
from toolhaft_evals.apibench.calls import LONGEST, find_calls, is_python, read_value
from toolhaft_evals.apibench.compatible import cut_call, judge_compatible
from toolhaft_evals.apibench.database import API, Database, first_call, identity
from toolhaft_evals.apibench.differences import REASONS, UNEXPLAINED, explain
from toolhaft_evals.apibench.evaluator import APIBench, CompatibleAPIBench
from toolhaft_evals.apibench.floors import make_floors
from toolhaft_evals.apibench.lint import lint_apibench
from toolhaft_evals.apibench.matching import judge

HUB = Database.of(
    [
        ("AutoModel.from_pretrained('bird/tiny')", "Vision"),
        ("AutoModel.from_pretrained('bird/tiny-large')", "Vision"),
        ("pipeline('summarize', model='whale/long')", "Text"),
        ("pipeline('translate', model='whale/two')", "Text"),
        ("shared.load('model.bin')", "Tables"),
        ("shared.load('model.bin')", "Numbers"),
        ("Tagger('dot/tail').", "Text"),
        ("bare()", "Vision"),
        ("./run.sh --model crow/shell", "Audio"),
        ("open_clip(crow/unquoted)", "Audio"),
    ],
    hub="huggingface",
)
TORCH = Database.of(
    [
        ("torch.hub.load(repo_or_dir='nest/vision', model='wren18', pretrained=True)", "Birds"),
        ("torch.hub.load(repo_or_dir='nest/vision', model='wren34', pretrained=True)", "Birds"),
        ("torch.hub.load(repo_or_dir='nest/sound', 'song', model='song_small', pretrained=True)", "Audio"),
        ("torch.hub.load(repo_or_dir='nest/old:hub', model='finch')", "Birds"),
    ],
    hub="torchhub",
)


def gold(source, domain, database=HUB):
    rows = database.by_text.get("".join(source.split()), ())
    return (API(position=-1, source=source, call=first_call(source), domain=domain), *rows)


def marked(call, domain="Vision"):
    return f"<<<domain>>>: {domain}\\n<<<api_call>>>: {call}\\n<<<api_provider>>>: x\\n<<<code>>>: y"


TINY = gold("AutoModel.from_pretrained('bird/tiny')", "Vision")
LONG = gold("pipeline('summarize', model='whale/long')", "Text")

ANSWERS = {
    "the gold call": (marked("AutoModel.from_pretrained('bird/tiny')"), TINY, "correct"),
    "the gold call alone": ("AutoModel.from_pretrained('bird/tiny')", TINY, "correct"),
    "other quotes": (marked('AutoModel.from_pretrained("bird/tiny")'), TINY, "correct"),
    "escaped quotes": (marked('AutoModel.from_pretrained(\\"bird/tiny\\")'), TINY, "correct"),
    "by name": (
        marked("AutoModel.from_pretrained(pretrained_model_name_or_path='bird/tiny')"),
        TINY,
        "correct",
    ),
    "with its library": (marked("transformers.AutoModel.from_pretrained('bird/tiny')"), TINY, "correct"),
    "assigned": (marked("model = AutoModel.from_pretrained('bird/tiny')"), TINY, "correct"),
    "named and positional swapped": (
        marked("pipeline(model='whale/long', task='summarize')", "Text"),
        LONG,
        "correct",
    ),
    "broken code around it": (
        marked("model = = AutoModel.from_pretrained('bird/tiny'))) then ('"),
        TINY,
        "correct",
    ),
    "in running text": (
        "1. Load it.\\n<<<code>>>: import x\\nm = AutoModel.from_pretrained('bird/tiny')\\nm(1)",
        TINY,
        "correct",
    ),
    "as a dict": (
        "{'domain': 'Vision', 'api_call': \"AutoModel.from_pretrained('bird/tiny')\", 'api_provider': 'x'}",
        TINY,
        "correct",
    ),
    "an argument too many": (
        marked("AutoModel.from_pretrained('bird/tiny', revision='a')"),
        TINY,
        "wrong_arguments",
    ),
    "an argument too few": (marked("pipeline(model='whale/long')", "Text"), LONG, "wrong_arguments"),
    "another domain": (marked("AutoModel.from_pretrained('bird/tiny')", "Text"), TINY, "correct"),
    "another API of the domain": (marked("AutoModel.from_pretrained('bird/tiny-large')"), TINY, "wrong_api"),
    "another API": (marked("pipeline('translate', model='whale/two')", "Text"), LONG, "wrong_api"),
    "a part of a name": (marked("AutoModel.from_pretrained('bird/tin')"), TINY, "hallucination"),
    "a made-up function": (marked("MadeUp('bird/tiny')"), TINY, "hallucination"),
    "a made-up function around the gold call": (
        marked("MadeUp(AutoModel.from_pretrained('bird/tiny'))"),
        TINY,
        "hallucination",
    ),
    "a made-up model": (marked("AutoModel.from_pretrained('bird/none')"), TINY, "hallucination"),
    "a call that never ends": (marked("AutoModel.from_pretrained('bird/none'"), TINY, "unparseable"),
    "a call of no Python": (marked("AutoModel.from_pretrained('a': 'b')"), TINY, "unparseable"),
    "text without a call": ("1. Import the library.\\n2. Load the model.", TINY, "unparseable"),
    "a function without arguments": ("Use the AutoModel.from_pretrained() method.", TINY, "unparseable"),
    "nothing": ("", TINY, "refused"),
    "blanks": (" \n", TINY, "refused"),
    "a refusal": ("I'm sorry, I cannot help with that.", TINY, "refused"),
    "one of two domains": (
        marked("shared.load('model.bin')", "Numbers"),
        gold("shared.load('model.bin')", "Tables"),
        "correct",
    ),
    "a row with a dot behind it": (
        marked("Tagger('dot/tail')", "Text"),
        gold("Tagger('dot/tail').", "Text"),
        "correct",
    ),
    "a row without arguments": (marked("bare()"), gold("bare()", "Vision"), "correct"),
    "a shell command": (
        marked("./run.sh --model crow/shell", "Audio"),
        gold("./run.sh --model crow/shell", "Audio"),
        "correct",
    ),
    "a row without quotes": (
        marked("open_clip(crow/unquoted)", "Audio"),
        gold("open_clip(crow/unquoted)", "Audio"),
        "correct",
    ),
    "gold that no row has": (marked("new.load('a/b')"), gold("new.load('a/b')", "Vision"), "correct"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_an_answer_is_worth(name):
    text, right, outcome = ANSWERS[name]
    found = judge(text, right, HUB)
    assert found.outcome == outcome, found.reason
    assert found.reason


WREN = gold("torch.hub.load(repo_or_dir='nest/vision', model='wren18', pretrained=True)", "Birds", TORCH)
FINCH = gold(TORCH.rows[3].source, "Birds", TORCH)
SONG = gold(TORCH.rows[2].source, "Audio", TORCH)


@pytest.mark.parametrize(
    ("call", "right", "outcome", "parts"),
    [
        ("torch.hub.load('nest/vision', 'wren18', pretrained=True)", WREN, "correct", (True, 1.0)),
        # A version that nobody asked for is no other API; one that the gold call names is wanted.
        ("torch.hub.load('nest/vision:v2', 'wren18', pretrained=True)", WREN, "correct", (True, 1.0)),
        ("torch.hub.load('nest/vision:v2', 'wren18')", WREN, "wrong_arguments", (True, 2 / 3)),
        ("torch.hub.load('nest/old:hub', 'finch')", FINCH, "correct", (True, 1.0)),
        ("torch.hub.load('nest/old', 'finch')", FINCH, "wrong_arguments", (True, 1 / 3)),
        ("torch.hub.load('nest/old:main', 'finch')", FINCH, "wrong_arguments", (True, 1 / 3)),
        ("torch.hub.load('nest/vision', 'wren18', pretrained=False)", WREN, "wrong_arguments", (True, 0.5)),
        (
            "torch.hub.load('nest/vision', 'wren18', pretrained=True, x=7)",
            WREN,
            "wrong_arguments",
            (True, 0.75),
        ),
        ("torch.hub.load('nest/vision', 'wren34', pretrained=True)", WREN, "wrong_api", (False, 0.0)),
        ("torch.hub.load('nest/other', 'wren18', pretrained=True)", WREN, "hallucination", (False, 0.0)),
        # A row that is no Python is met by the same values, whatever their names and order.
        ("torch.hub.load('nest/sound', 'song', 'song_small', pretrained=True)", SONG, "correct", (True, 1.0)),
    ],
)
def test_a_hub_of_repositories_and_models(call, right, outcome, parts):
    found = judge(call, right, TORCH)
    assert (found.outcome, (found.api, pytest.approx(found.arguments))) == (outcome, parts)


def test_the_first_known_call_is_the_proposed_one():
    text = (
        "Use print('x'), AutoModel.from_pretrained('bird/tiny-large'), AutoModel.from_pretrained('bird/tiny')"
    )
    assert judge(text, TINY, HUB).outcome == "wrong_api"  # to list several earns nothing


def test_calls_are_read_by_themselves_and_nothing_is_run(tmp_path):
    target = tmp_path / "written"
    text = f"AutoModel.from_pretrained(open({str(target)!r}, 'w').write('x'), f'{{1/0}}', *a, **b)"
    (call, *_) = find_calls(text)
    assert call.callee == "AutoModel.from_pretrained"
    assert judge(marked(text), TINY, HUB).outcome in ("hallucination", "unparseable")
    assert not target.exists()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'a'", "'a'"),
        ('"a"', "'a'"),
        ("1_0", "10"),
        ("[1,2]", "[1, 2]"),
        ("torch.float16", "torch.float16"),
        ("a b", None),
        ("", None),
        ("(" * 500, None),
        ("9" * 5000, None),
    ],
    ids=["one quote", "two quotes", "number", "list", "name", "no Python", "nothing", "deep", "long"],
)
def test_a_value_has_one_way_of_writing(source, value):
    assert read_value(source) == value


@pytest.mark.parametrize(
    "text",
    [
        "a" * LONGEST,
        "a." * 50_000,
        "f(" * 50_000,
        "f('" * 30_000,
        "'\\" * 50_000,
        "<<<api_call>>>:" + " " * 90_000,
        "(" * LONGEST,
        "\\'" * 50_000,
    ],
    ids=["a word", "dots", "openings", "quotes", "escapes", "blanks", "brackets", "escaped quotes"],
)
def test_hostile_answers_take_no_long_time(text):
    begun = time.monotonic()
    judge(text, TINY, HUB)
    judge_compatible(text, {"Vision"}, HUB)
    assert time.monotonic() - begun < 5
    assert is_python("x" * (LONGEST + 1)) is False


PUBLISHED = {
    "gold": (marked("AutoModel.from_pretrained('bird/tiny')"), "Vision", HUB, "correct", 0),
    "a part of another name": (
        marked("AutoModel.from_pretrained('bird/tiny-large')"),
        "Vision",
        HUB,
        "correct",
        0,
    ),
    "a part of an argument": (
        marked("pipeline('long-summarize', model='my/whale/long-7b')"),
        "Text",
        HUB,
        "correct",
        2,
    ),
    "another function around the argument": (marked("MadeUp('bird/tiny')"), "Vision", HUB, "correct", 0),
    "a constant answer of the domain": (
        "'api_call': torch.hub.load('nest/vision', 'wren18')",
        "Birds",
        TORCH,
        "correct",
        0,
    ),
    "the first of two rows": (marked("shared.load('model.bin')"), "Numbers", HUB, "wrong", 4),
    "another domain": (marked("AutoModel.from_pretrained('bird/tiny')"), "Text", HUB, "wrong", 0),
    "the library it begins with is looked at last": (
        marked("import bird; load('bird/tiny')"),
        "Vision",
        HUB,
        "hallucination",
        -1,
    ),
    "arguments of a function of a plain name": (
        marked("load(torch, 'bird/tiny')"),
        "Vision",
        HUB,
        "correct",
        0,
    ),
    "the first part of a sum is looked at last": (
        marked("'bird/tiny' + f(1)"),
        "Vision",
        HUB,
        "correct",
        0,
    ),
    "a method hides its arguments": (marked("made.up('bird/tiny')"), "Vision", HUB, "hallucination", -1),
    "other quotes are fine": (marked('AutoModel.from_pretrained("bird/tiny")'), "Vision", HUB, "correct", 0),
    "no marker, torchhub": ("nothing at all", "Birds", TORCH, "wrong", None),
    "no marker, huggingface": ("I cannot.", "Vision", HUB, "hallucination", -1),
    "nothing": ("", "Vision", HUB, "hallucination", -1),
    "nothing fits": (marked("AutoModel.from_pretrained('x')"), "Vision", HUB, "hallucination", -1),
}


FLOW = Database.of(
    [
        ("hub.load('https://hub.test/google/encoder/4')", "Sentences"),
        ("hub.KerasLayer('https://hub.test/google/encoder/4')", "Embedding"),
        ("hub.KerasLayer('https://hub.test/google/mobile/1', input_shape=[224], trainable=True)", "Images"),
        ("tf.keras.utils.get_file('list.txt','https://store.test/list.txt')", "Lists"),
        ("hub.KerasLayer(handle = 'https://hub.test/b/1', fine_tune_model=True)", "Images"),
        ("layer = hub.load('https://hub.test/assigned/1')", "Skipped"),
        ("hub.load('https://hub.test/c/1').signatures['default']", "Skipped"),
        ("hub.KerasLayer('https://hub.test/d/1')(inputs)", "Layers"),
        ("hub.load('https://hub.test/google/encoder/4')", "Again"),
    ],
    hub="tensorflowhub",
)
FLOW_ANSWERS = {
    "hub.load('https://hub.test/google/encoder/4')": 0,
    'model = hub.load("https://hub.test/google/encoder/4")': 0,
    "import tensorflow_hub as hub\nm = hub.load('https://hub.test/google/encoder/4')\nm(['a'])": 0,
    "tf.keras.Sequential([hub.KerasLayer('https://hub.test/google/encoder/4'), Dense(2)])": 1,
    "hub.KerasLayer('https://hub.test/google/mobile/1', input_shape=[224], trainable=True)": 2,
    "hub.KerasLayer('https://hub.test/google/mobile/1', trainable=True)": -1,
    "tf.keras.utils.get_file('list.txt', 'https://store.test/list.txt')": 3,
    "tf.keras.utils.get_file('list.txt')": -1,
    "hub.KerasLayer(handle = 'https://hub.test/b/1', x=True)": 4,
    "hub.KerasLayer(handle='https://hub.test/b/1', fine_tune_model=True)": -1,
    "hub.load('https://hub.test/assigned/1')": -1,
    "hub.load('https://hub.test/c/1')": -1,
    "hub.KerasLayer('https://hub.test/d/1')(inputs)": 7,
    # Calls of one name: the last is looked at first, and an outer one before what is in it.
    "hub.load('https://hub.test/google/encoder/4'); hub.load('x')": -1,
    "hub.load('x'); hub.load('https://hub.test/google/encoder/4')": 0,
    "hub.load(hub.load('https://hub.test/google/encoder/4'))": 0,
    "It is hub.load('https://hub.test/google/encoder/4').": -1,
    "I would load an encoder.": -1,
    "": -1,
}


@pytest.mark.parametrize("text", FLOW_ANSWERS)
def test_a_hub_whose_answers_are_read_whole_and_whose_arguments_keep_their_names(text):
    assert judge_compatible(text, {"Sentences"}, FLOW).row == FLOW_ANSWERS[text]
    declared = judge_compatible(f"<<<api_call>>>: {text}\n<<<api_provider>>>: x", {"Sentences"}, FLOW)
    if text.endswith(")"):
        assert declared.row == FLOW_ANSWERS[text]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("hub.load('https://hub.test/google/encoder/4')", "correct"),
        ("hub.load(handle='https://hub.test/google/encoder/4')", "correct"),
        ("tensorflow_hub.load('https://hub.test/google/encoder/4')", "correct"),
        ("hub.KerasLayer('https://hub.test/google/encoder/4')", "wrong_api"),
        ("hub.load('https://hub.test/google/encoder/5')", "hallucination"),
        ("tf.keras.utils.get_file(fname='list.txt', origin='https://store.test/list.txt')", "wrong_api"),
        ("tf.keras.utils.get_file(fname='list.txt', origin='https://store.test/other.txt')", "hallucination"),
    ],
)
def test_a_hub_whose_calls_are_in_several_rows(call, outcome):
    right = gold("hub.load('https://hub.test/google/encoder/4')", "Sentences", FLOW)
    assert {row.domain for row in right} == {"Sentences", "Again"}
    found = judge(marked(call), right, FLOW)
    assert found.outcome == outcome


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_the_published_scripts_say(name):
    text, domain, database, verdict, row = PUBLISHED[name]
    found = judge_compatible(text, {domain}, database)
    assert (found.verdict, found.row) == (verdict, row)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("'api_call': 'f(1)', 'api_provider'", "'f(1)"),
        ("<<<api_call>>>: f(1) x\\n<<<api_provider>>>", "f(1)"),
        ("api_call f(1)", "(1)"),
        ("api_call: no", "n"),
        ("plain", "plain"),
    ],
)
def test_the_published_scripts_cut_by_position(text, cut):
    assert cut_call(text, marker_needed=False) == cut
    assert cut_call("plain", marker_needed=True) is None


def differ(text, right, verdict, row, database=HUB):
    judgement = judge(text, right, database)
    return explain(text, judgement, verdict=verdict, row=row, gold=right, database=database)


NEW = gold("new.load('a/b')", "Vision")
DIFFERENCES = {
    "domain_only": (marked("AutoModel.from_pretrained('bird/tiny-large')"), TINY, "correct", 0, HUB),
    "arguments_not_compared": (
        marked("AutoModel.from_pretrained('bird/tiny', x=1)"),
        TINY,
        "correct",
        0,
        HUB,
    ),
    "substring": (marked("AutoModel.from_pretrained('bird/tiny-7b')"), TINY, "correct", 0, HUB),
    "callee_ignored": (marked("MadeUp('bird/tiny')"), TINY, "correct", 0, HUB),
    "first_match": (
        marked("AutoModel.from_pretrained('bird/tiny-large')"),
        gold("AutoModel.from_pretrained('bird/tiny-large')", "Vision"),
        "wrong",
        0,
        HUB,
    ),
    "gold_not_in_database": (marked("new.load('a/b')"), NEW, "hallucination", -1, HUB),
    "other_arguments": (
        marked("pipeline('other', model='whale/long')", "Text"),
        LONG,
        "hallucination",
        -1,
        HUB,
    ),
    "no_arguments": (marked("bare()"), gold("bare()", "Vision"), "hallucination", -1, HUB),
    "normalised": (marked("AutoModel.from_pretrained(  'bird' '/tiny')"), TINY, "hallucination", -1, HUB),
    "error_recovery": (
        "'api_call': 'm = torch.hub.load('nest/vision', 'wren18', pretrained=True)', 'api_provider'",
        WREN,
        "hallucination",
        -1,
        TORCH,
    ),
    "no_marker": (
        "torch.hub.load('nest/vision', 'wren18', pretrained=1)",
        WREN,
        "hallucination",
        None,
        TORCH,
    ),
    "other_text": (
        "The api_call: f(x) is of the api_provider. AutoModel.from_pretrained('bird/tiny')",
        TINY,
        "hallucination",
        -1,
        HUB,
    ),
    "not_looked_at": ("print(1)  # AutoModel.from_pretrained('bird/tiny')", TINY, "hallucination", -1, HUB),
    "running_text": ("1. Load.\\nm = AutoModel.from_pretrained('bird/tiny')", TINY, "hallucination", -1, HUB),
}


@pytest.mark.parametrize("reason", DIFFERENCES)
def test_each_reason_for_a_difference(reason):
    assert differ(*DIFFERENCES[reason]) == reason


def test_every_reason_has_a_test_and_a_meaning():
    assert set(DIFFERENCES) == set(REASONS)
    assert all(len(meaning.split()) > 5 for meaning in REASONS.values())


def test_agreement_needs_no_reason_and_what_no_reason_covers_is_unexplained():
    text = marked("AutoModel.from_pretrained('bird/tiny')")
    assert differ(text, TINY, "correct", 0) == ""
    assert differ(text, TINY, "hallucination", -1) == UNEXPLAINED


def task(call="AutoModel.from_pretrained('bird/tiny')", domain="Vision"):
    return Task(id="q-1", instruction="Find a bird.", metadata={"api_call": call, "domain": domain})


@pytest.mark.anyio
async def test_the_evaluators_give_scores_with_parts_and_outcome():
    trajectory = trajectory_of(
        task(), Prediction(task_id="q-1", text="AutoModel.from_pretrained('bird/tiny-large')")
    )
    strict = await APIBench(database=HUB).evaluate(task(), trajectory)
    assert (strict.value, strict.outcome) == (0.0, "wrong_api")
    assert strict.parts == {"api": 0.0, "arguments": 0.0, "domain": 1.0}
    published = await CompatibleAPIBench(database=HUB).evaluate(task(), trajectory)
    assert (published.value, published.outcome, published.evaluator) == (1.0, "correct", "apibench-compat")
    calls = (
        ToolCall(
            id="1", name="AutoModel.from_pretrained", arguments={"pretrained_model_name_or_path": "bird/tiny"}
        ),
    )
    made = trajectory_of(task(), Prediction(task_id="q-1", calls=calls))
    assert (await APIBench(database=HUB).evaluate(task(), made)).value == 1.0


def test_tasks_and_databases_that_are_missing_are_said():
    with pytest.raises(UsageError, match="needs the APIs of the hub"):
        APIBench().check_task(task())
    with pytest.raises(UsageError, match="needs the gold call"):
        APIBench(database=HUB).check_task(Task(id="x", instruction="y"))


def test_floors_are_seeded_and_the_gold_is_a_ceiling():
    floors = make_floors([task()], HUB, seed=3)
    assert list(floors) == ["floor: constant", "floor: random", "ceiling: gold"]
    assert floors == make_floors([task()], HUB, seed=3)
    assert judge(floors["ceiling: gold"][0].text, TINY, HUB).outcome == "correct"
    assert all(one.origin == "scripted" for said in floors.values() for one in said)


def test_the_lint_counts_what_is_wrong_with_the_data():
    found = lint_apibench([task(), task("new.load('a/b')")], HUB)
    counts = {kind: len(lines) for kind, lines in found.items()}
    assert counts["gold call in no row of the database"] == 1
    assert counts["call in several rows"] == counts["call with several domains"] == 1
    assert counts["call that is no Python"] == 2
    assert counts["call without arguments"] == 2
    assert counts["question that stands twice"] == 1


def test_an_identity_has_no_version_and_no_order():
    one, other = (
        identity(first_call(f"torch.hub.load({arguments})"))
        for arguments in (
            "'nest/vision:v1', 'wren'",
            "model='wren', repo_or_dir='nest/vision', pretrained=True",
        )
    )
    assert one == other
