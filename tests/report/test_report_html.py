"""The document: what it shows, how it labels it, how large it grows, what it survives."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import zlib
from dataclasses import fields, replace
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from toolhaft import types
from toolhaft.report.cleaning import CLOSED_FIELDS
from toolhaft.report.html import render_html
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    Derivation,
    Exchange,
    JSONPart,
    Observation,
    Score,
    Step,
    Task,
    TextPart,
    ToolCall,
    Trajectory,
)


def make_png(width=8, height=8):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def one_call(value, **fields):
    """Return a trajectory of one step with one observation."""
    part = value if isinstance(value, TextPart | ArtifactPart) else JSONPart(value)
    observation = Observation(call_id="c", tool="get", parts=(part,), **fields)
    step = Step(id=0, calls=(ToolCall(id="c", name="get"),), observations=(observation,), status="answered")
    return Trajectory(id="one", task=Task(id="t", instruction="Get it"), steps=(step,), answer_step=0)


def test_shows_the_whole_of_a_rollout(sample, sample_scores, text_of):
    trajectory = sample()
    shown = text_of(
        render_html([trajectory], scores={trajectory.id: sample_scores()}, notes={"Shelter": "12 imported"})
    )
    for expected in (
        trajectory.task.instruction,
        trajectory.answer,
        "✓ solved",
        "gold_recall 0.83",
        "The reservation is in the end state.",
        "12 imported",
        "dfsdt",
        "qwen3-8b",
        "6,842 in, 281 out",
        "4.21 s",
        "0.0113",
        "5 tools retrieved by bm25",
        "11.42",
        "6 steps, 2 on branches that were given up",
        "E-HTTP-STATUS",
        "Give petId as a number",
        "http://127.0.0.1:8801/pets/7",
        "[secret env:SHELTER_KEY]",
        "Arthritis, mild",
        "1 of 6 observations made up by a simulator",
        "Find animals by species and status.",
        "2026-11-21 10:04 UTC",
    ):
        assert expected in shown


def test_the_tree_puts_given_up_branches_before_the_way_that_went_on(sample, outline):
    found = outline(render_html([sample()]))
    steps = [name for name in found.ids if "-step-" in name]
    assert steps == [f"task-1-step-{number}" for number in (1, 2, 3, 4, 5, 6)]
    assert found.classes.count("path") == 4
    assert found.classes.count("off") == 2
    assert found.classes.count("depth-1") == 2
    assert found.classes.count("opens") == 1
    assert set(found.links) <= {f"#{name}" for name in found.ids}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("heuristic", "not a language model"),
        ("replay", "no language model"),
        ("scripted", "no language model"),
    ],
)
def test_what_no_language_model_made_says_so(sample, origin, expected, text_of):
    alone = text_of(render_html([sample(origin=origin, model="x")]))
    assert f"{origin}, no language model" in alone
    assert expected in alone.replace(f"{origin}, no language model", "", 1)
    listed = render_html([sample("a", origin=origin), sample("b")])
    assert listed.count(f"{origin}, no language model") == 2  # in the row and in what it opens to
    assert "no language model" not in text_of(render_html([sample()]))


@pytest.mark.parametrize("provenance", ["cached", "replayed", "simulated", "reused"])
def test_an_observation_that_was_not_asked_for_now_says_so(provenance):
    assert f">{provenance}</span>" in render_html([one_call({"a": 1}, provenance=provenance)])


def test_arguments_say_where_they_come_from(sample, text_of):
    shown = text_of(render_html([sample()]))
    assert 'species "dog" from the task' in shown
    assert "petId 7 from step 1 Observation" in shown  # it stands in what step 1 brought
    assert 'visitor "Ana Silva" from the task' in shown
    assert 'petId "Juno" from step 1' in shown
    assert "petId 1 from the model's own wording" in shown
    assert '"stairs": false } Observation' in shown  # a truth value cannot be traced


def test_the_policy_allows_the_documents_own_script_and_style_alone(sample):
    document = render_html([sample()])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', document)[1].replace("&#x27;", "'")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", document, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    # It stands before anything that it should bind.
    assert document.index("Content-Security-Policy") < document.index("<style")
    assert not re.search(r"https?://(?!127\.0\.0\.1)", document)


def test_every_text_is_redacted(sample, sample_scores, every_text):
    def leak(text):
        return f"{text[:30]} hunter2-token"

    def redact(text):
        return text.replace("hunter2-token", "[gone]")

    trajectory = every_text(sample(), leak)
    scores = {trajectory.id: [every_text(score, leak) for score in sample_scores()]}
    document = render_html(
        [trajectory], scores=scores, title=leak("t"), notes={leak("a"): leak("b")}, redact=redact
    )
    assert "hunter2" not in document
    assert document.count("[gone]") > 100


def test_fields_of_closed_lists_are_the_ones_that_are_not_redacted():
    found = set()
    for name in types.__all__:
        record = getattr(types, name)
        if not hasattr(record, "__dataclass_fields__"):
            continue
        hints = get_type_hints(record)
        found |= {(name, field.name) for field in fields(record) if get_origin(hints[field.name]) is Literal}
        for field in fields(record):
            if field.name in CLOSED_FIELDS and get_origin(hints[field.name]) is not Literal:
                assert hints[field.name] is int, (name, field.name)
    stored = {field for name, field in found if name not in ("Completion", "Message")}
    assert stored == CLOSED_FIELDS
    assert all(get_args(hint) for hint in [Literal["a"]])


@pytest.mark.parametrize(
    "spread",
    [
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("letters", "observation", "exchange", "thought", "markup")
    ],
)
def test_200_steps_stay_under_3_megabytes(spread, outline, text_of):
    filler = {"markup": "<&>" * 6_000, "letters": "д" * 18_000}.get(spread, "x" * 18_000)
    picture = make_png(280, 280)
    store = ArtifactStore()
    handle = store.put(picture + bytes(150_000), media_type="image/png", name="a.png")
    steps = []
    for number in range(200):
        exchange = Exchange(
            method="GET",
            url="http://127.0.0.1/" + "p" * 500,
            status=200,
            request_headers=tuple((f"h{index}", "v" * 200) for index in range(20)),
            response_headers=tuple((f"h{index}", "v" * 200) for index in range(20)),
            response_body=filler[:4000],
        )
        observation = Observation(
            call_id=f"c{number}",
            tool="get",
            parts=(JSONPart({"rows": [filler]}), ArtifactPart(handle)),
            exchanges=(exchange,) * (6 if spread == "exchange" else 1),
        )
        steps.append(
            Step(
                id=number,
                parent=number - 1 if number else None,
                thought=filler if spread == "thought" else "Go on",
                calls=(ToolCall(id=f"c{number}", name="get", arguments={"q": filler[:3000]}),),
                observations=(observation,),
            )
        )
    trajectory = Trajectory(
        id="long", task=Task(id="t", instruction="Go on"), steps=tuple(steps), answer_step=199
    )
    document = render_html([trajectory], artifacts=store)
    assert len(document.encode()) < 3_000_000
    found = outline(document)
    assert sum("-step-" in name for name in found.ids) == 200
    assert "not shown" in document
    assert "texts are cut short here" in text_of(document)


def test_a_trajectory_of_ten_thousand_steps_is_cut_with_a_note(text_of):
    steps = tuple(
        Step(id=number, parent=number - 1 if number else None, thought="x" * 300) for number in range(10_000)
    )
    trajectory = Trajectory(id="long", task=Task(id="t", instruction="Go"), steps=steps, answer_step=9_999)
    document = render_html([trajectory])
    assert len(document.encode()) < 3_000_000
    assert "8,000 more steps not shown" in text_of(document)


@pytest.mark.slow
def test_many_long_trajectories_are_cut_until_all_of_them_fit(outline):
    big = one_call({"rows": ["x" * 19_000] * 4})
    long = replace(
        big,
        steps=tuple(
            replace(big.steps[0], id=number, parent=number - 1 if number else None) for number in range(60)
        ),
    )
    shown = [replace(long, id=f"t{number}") for number in range(25)] + [replace(big, id="short")]
    document = render_html(shown)
    assert len(document) < 26_000_000
    assert sum("-step-" in name for name in outline(document).ids) == 25 * 60 + 1
    assert document.count("its texts are cut short here") == 25  # the short one is left as it is


@pytest.mark.slow
def test_what_does_not_fit_even_so_is_listed_without_its_steps():
    plain = replace(one_call(1), answer="<" * 19_000)
    document = render_html([replace(plain, id=f"t{number}") for number in range(400)])
    assert len(document) < 29_000_000
    assert re.search(r"The steps of the last \d+ are in trajectories.jsonl only", document)
    assert document.count('class="task"') == 400


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        deep(5_000),
        {"a": float("nan"), "b": float("inf")},
        10**5_000,
        {1: {2: 3}},
        {"bytes": b"\xff", "set": {1}, "thing": object()},
        "\ud800 lone",
        "",
        None,
        [],
        {},
        {"k" * 50_000: "v"},
        TextPart("{" + '"a":[' * 2_000),
        TextPart("[" + "9" * 5_000 + "]"),
        TextPart("\x00\x1b[2J\u202e\U000e0041"),
    ],
    ids=range(14),
)
def test_values_that_json_or_the_eye_cannot_hold_do_no_harm(value, outline):
    document = render_html([one_call(value)])
    document.encode()
    outline(document)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\U000e0041]", document)


def test_more_observations_or_fewer_than_calls_are_shown(text_of):
    step = Step(
        id=0,
        calls=(ToolCall(id="a", name="one"), ToolCall(id="b", name="two"), ToolCall(id="c", name="three")),
        observations=(Observation(call_id="b", tool="two", parts=(TextPart("of two"),)),),
    )
    shown = text_of(render_html([replace(one_call(1), steps=(step,))]))
    assert shown.count("of two") == 3  # in the step's line, above its contents, and once below
    assert shown.index("Call two") < shown.rindex("of two") < shown.index("Call three")


@pytest.mark.parametrize(
    ("media_type", "data", "shown"),
    [
        ("image/png", make_png(), True),
        ("image/gif", b"GIF89a" + bytes(20), True),
        ("image/jpeg", b"\xff\xd8\xff" + bytes(20), True),
        ("image/webp", b"RIFF\x00\x00\x00\x00WEBP", True),
        ("image/svg+xml", b"<svg onload=alert(1)>", False),
        ("image/png", b"<script>alert(1)</script>", False),
        ("text/html", b"<script>alert(1)</script>", False),
        ("image/png", make_png() + bytes(300_000), False),
        ('image/png;x="><script>', make_png(), False),
    ],
    ids=range(9),
)
def test_small_pictures_are_shown_and_nothing_else(media_type, data, shown, outline):
    store = ArtifactStore()
    handle = replace(store.put(data, name="thing"), media_type=media_type)
    document = render_html([one_call(ArtifactPart(handle))], artifacts=store)
    outline(document)
    assert ("<img" in document) is shown
    assert handle.id[:11] in document
    assert "<img" not in render_html([one_call(ArtifactPart(handle))])


def test_a_large_picture_is_shown_by_its_preview():
    store = ArtifactStore()
    large = make_png() + bytes(300_000)
    shown = store.put(large, name="large.png", preview=make_png(4, 4))
    document = render_html([one_call(ArtifactPart(shown))], artifacts=store)
    assert base64.b64encode(make_png(4, 4)).decode() in document
    without = replace(shown, preview="")
    assert "<img" not in render_html([one_call(ArtifactPart(without))], artifacts=store)
    forged = replace(shown, preview=store.put(b"<script>", name="x").id)
    assert "<img" not in render_html([one_call(ArtifactPart(forged))], artifacts=store)


def test_images_are_listed_with_the_calls_that_made_them(text_of, outline):
    store = ArtifactStore()
    given = replace(store.put(make_png(), name="a<b>.png"), handle="img-1")
    derived = Derivation(tool="crop", arguments={"image": "img-1"}, parents=(given.id, "0" * 64))
    made = replace(store.put(make_png(9, 9), name="crop.png"), handle="img-2", made_by=derived)
    trajectory = one_call(ArtifactPart(made))
    trajectory = replace(trajectory, task=replace(trajectory.task, artifacts=(given,)))
    document = render_html([trajectory], artifacts=store)
    outline(document)
    said = " ".join(text_of(document).split())
    assert "img-1 a<b>.png image/png, 8x8" in said
    assert "given by the user" in said
    assert 'made by crop from img-1 , 000000000000 in step 1 with { "image": "img-1" }' in said.replace(
        "img-1, 0", "img-1 , 0"
    )
    assert "made by" not in render_html([replace(trajectory, steps=())], artifacts=store)


def test_a_picture_that_is_not_kept_is_shown_by_its_handle():
    handle = Artifact(id="../../etc/passwd", media_type="image/png", size=1, name="x")
    assert "<img" not in render_html([one_call(ArtifactPart(handle))], artifacts=ArtifactStore())


def test_scores_that_are_no_numbers_and_times_that_never_end_are_shown(outline):
    trajectory = one_call(1)
    endless = replace(trajectory, usage=replace(trajectory.usage, seconds=float("inf"), cost=float("nan")))
    scores = {"one": [Score(name="odd", value=float("nan"))]}
    outline(render_html([endless], scores=scores))


def test_the_same_run_gives_the_same_document(sample, sample_scores):
    first, second = (render_html([sample()], scores={"adopt-juno": sample_scores()}) for _ in range(2))
    assert first == second


def test_no_trajectory_at_all_is_a_document_too(text_of):
    assert "0 trajectories" in text_of(render_html([]))


def test_json_bodies_are_indented_and_others_left(sample, text_of):
    body = json.dumps({"petId": 7})
    trajectory = sample()
    assert body not in text_of(render_html([trajectory]))
    assert '{ "petId": 7, "visitor": "Ana Silva" }' in text_of(render_html([trajectory]))
