"""The comparison of arms: what it says in words, what it draws, where it links."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

import pytest

from toolhaft.report.comparison import comparison_html, render_comparison
from toolhaft.report.html import render_html
from toolhaft.report.outcomes import Trial, kind_of
from toolhaft.report.pairings import say_pairing, say_pairings, verdict_of
from toolhaft.report.plots import difference_plot, parts_plot, scale_of, share_plot
from toolhaft.types import Score, Trajectory
from toolhaft.types.comparison import ArmResult, Comparison, Pairing, Proportion


def pairing(difference=0.114, low=0.053, high=0.175, **changes):
    given = {"a": "react", "b": "dfsdt", "tasks": 150, "wins": 28, "ties": 111, "losses": 11}
    tests = {"mcnemar_p": 0.009, "adjusted_p": 0.009, "detectable": 0.083}
    return Pairing(difference=difference, low=low, high=high, **{**given, **tests, **changes})


def render(comparison, arms=None, folders=None, **more):
    arms = arms or {}
    return render_comparison(
        comparison, arms=arms, folders=folders or {name: name for name in arms}, settings={}, **more
    )


@pytest.mark.parametrize(
    ("found", "verdict", "sentence"),
    [
        (
            pairing(),
            "shown",
            "dfsdt passes 11.4 points more than react, 95 % interval 5.3 to 17.5, over 150 tasks.",
        ),
        (
            pairing(-0.114, -0.175, -0.053),
            "shown",
            "dfsdt passes 11.4 points fewer than react, 95 % interval 5.3 to 17.5, over 150 tasks.",
        ),
        (
            pairing(-0.012, -0.06, 0.036),
            "none",
            "No difference shown between dfsdt and react: −1.2 points, 95 % interval −6.0 to +3.6, "
            "over 150 tasks.",
        ),
        (
            pairing(adjusted_p=0.07),
            "unsure",
            "dfsdt passes 11.4 points more than react, 95 % interval 5.3 to 17.5, over 150 tasks; "
            "the exact test does not confirm it.",
        ),
        (pairing(low=None, high=None, tasks=3), "few", "3 tasks are too few to tell dfsdt from react."),
        (pairing(low=None, high=None, tasks=1), "few", "1 task is too few to tell dfsdt from react."),
        (
            pairing(0.0, 0.0, 0.0),
            "none",
            "No difference shown between dfsdt and react: 0.0 points, 95 % interval 0.0 to 0.0, "
            "over 150 tasks.",
        ),
    ],
    ids=range(7),
)
def test_a_pairing_is_said_in_plain_words(found, verdict, sentence):
    assert verdict_of(found) == verdict
    assert say_pairing(found) == sentence


def test_of_many_pairings_those_that_show_something_are_said():
    none, shown = pairing(-0.012, -0.06, 0.036), pairing(b="react@3")
    assert say_pairings([none]) == [say_pairing(none)]
    assert say_pairings([none, shown]) == [say_pairing(shown)]
    assert say_pairings([none, none, none]) == ["No difference shown between any two of the arms, 3 pairs."]
    assert say_pairings([]) == []


def test_shows_everything_that_was_found(evaluation, text_of):
    comparison, arms = evaluation()
    comparison = replace(comparison, pairings=(pairing(),), notes=("A note to read.",))
    shown = text_of(render(comparison, arms))
    for expected in (
        "dfsdt passes 11.4 points more than react",
        "A note to read.",
        "Pass rate",
        f"{comparison.arms[0].passes.passed} of 8",
        "qwen3-8b",
        "difference shown",
        "dfsdt better 28",
        "same 111",
        "react better 11",
        "McNemar p = 0.009",
        "smallest difference that so many tasks would show: 8.3 points (80 % power)",
        "How rollouts ended",
        "wrong state",
        "Means for one rollout",
        "All of 2",
        "By tag",
        "one call",
        "of 4 came out differently, and stand first",
        "Reserve the oldest available dog under 20 kg",
        "2 arms, 4 tasks, 16 rollouts",
    ):
        assert expected in shown


def test_tasks_that_came_out_differently_stand_first(evaluation):
    comparison, arms = evaluation(tasks=5)
    matrix = render(comparison, arms).partition('id="tasks"')[2]
    rows = re.findall(r'<tr( class="differs")?[^>]*><th scope="row">.*?facts-line">(task-\d)', matrix)
    means = {task: max(found.values()) - min(found.values()) for task, found in comparison.outcomes.items()}
    assert [means[task] for _, task in rows] == sorted(means.values(), reverse=True)
    assert {task for marked, task in rows if marked} == {task for task, spread in means.items() if spread}
    assert 0 < sum(bool(marked) for marked, _ in rows) < 5


def test_each_trial_links_to_its_article_in_the_report_of_its_arm(evaluation, outline):
    comparison, arms = evaluation(("react", "react@2"))
    document = render(comparison, arms, {"react": "react", "react@2": "react@2"})
    links = [link for link in outline(document).links if "#task" in link]
    assert len(links) == 16
    for name, folder in (("react", "react"), ("react@2", "react%402")):
        trajectories, scores = arms[name]
        there = {f"#{found}" for found in outline(render_html(trajectories, scores=scores)).ids}
        mine = [link for link in links if link.startswith(f"./{folder}/report.html#")]
        assert len(mine) == 8
        assert {link.partition("report.html")[2] for link in mine} <= there
    kinds = re.findall(r'aria-label="react, trial (\d): ([a-z ]+)"', document)
    first = [kind_of(one, arms["react"][1][one.id]).replace("_", " ") for one in arms["react"][0]]
    assert sorted(kind for _, kind in kinds) == sorted(first)


def test_a_folder_cannot_be_taken_for_another_address(evaluation, outline):
    comparison, arms = evaluation(("react",))
    for folder in ("javascript:alert(1)", "//example.org/x", "https://example.org", "a b'\"<x>"):
        for link in outline(render(comparison, arms, {"react": folder})).links:
            assert link.startswith(("./", "#"))
            assert not set(link) & set(" '\"<>")


def test_arms_without_a_folder_have_marks_and_no_links(evaluation, outline):
    comparison, arms = evaluation()
    found = outline(render(comparison, arms, {"elsewhere": "x"}))
    assert [link for link in found.links if link != "#main"] == []
    assert found.classes.count("trial") == 16


def test_a_comparison_alone_shows_the_means(text_of):
    comparison = Comparison(
        title="Alone",
        arms=tuple(
            ArmResult(
                name=name, planner=name, model="", passes=Proportion(passed=1, total=2, low=0.1, high=0.9)
            )
            for name in ("a", "b")
        ),
        outcomes={"t1": {"a": 0.5, "b": 1.0}, "t2": {"a": 0.0}},
    )
    shown = text_of(render(comparison))
    assert "t1 50 % 100 %" in shown
    assert "t2 0 % –" in shown
    assert "a 50.0 % 10.0 to 90.0 1 of 2" in text_of(f"<p>{comparison_html(comparison).code}</p>")


@pytest.mark.parametrize(
    "comparison",
    [
        Comparison(title="", arms=()),
        Comparison(
            title="Nothing tried",
            arms=(
                ArmResult(
                    name="a", planner="", model="", passes=Proportion(passed=0, total=0, low=0, high=0)
                ),
            ),
        ),
        Comparison(
            title="Odd",
            arms=(
                ArmResult(
                    name="a",
                    planner="",
                    model="",
                    passes=Proportion(passed=9, total=3, low=-4.0, high=7.0),
                    by_tag={"": Proportion(passed=0, total=1, low=0, high=1)},
                    failures={"passed": 3, "no such kind": 2, "": 1, "error": 0},
                    seconds=-1.0,
                ),
            ),
            pairings=(pairing(9.0, -8.0, 70.0, wins=0, ties=0, losses=0),),
            outcomes={"t": {}},
        ),
    ],
    ids=["empty", "nothing tried", "odd"],
)  # fmt: skip
def test_a_comparison_with_little_or_odd_content_is_a_document_too(comparison, outline):
    outline(render(comparison))


def test_the_floor_is_a_row_and_no_difference(evaluation, text_of):
    comparison, arms = evaluation()
    nothing = ArmResult(
        name="nothing", planner="", model="", passes=Proportion(passed=0, total=4, low=0, high=0.5)
    )
    same = {task: {"react": 1.0, "dfsdt": 1.0, "nothing": 0.0} for task in comparison.outcomes}
    shown = text_of(render(replace(comparison, arms=(*comparison.arms, nothing), outcomes=same), arms))
    assert "nothing makes no call" in shown
    assert "0 of 4 came out differently" in shown


def test_every_text_is_escaped_and_redacted(evaluation, outline):
    def leak(text):
        return f"<b>{text[:40]}</b> hunter2-token"

    names = ("<i>react</i> hunter2-token", 'dfsdt" onload="x')
    comparison, arms = evaluation(names, tasks=2, trials=1, change=leak)
    document = render_comparison(
        comparison,
        arms=arms,
        folders={names[0]: "a", names[1]: "b"},
        settings={leak("key"): [leak("value")]},
        redact=lambda text: text.replace("hunter2-token", "[gone]"),
    )
    assert "hunter2" not in document
    assert "[gone]" in document
    assert escape("<i>react</i> [gone]", quote=False) in document
    assert "i" not in outline(document).tags


def test_the_same_comparison_gives_the_same_document(evaluation):
    first, second = (render(*evaluation()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ([], ""),
        ([Score(name="any", value=1.0)], "passed"),
        ([Score(name="any", value=0.0, details={"failure": "loop"})], "loop"),
        ([Score(name="any", value=0.0, details={"failure": "invented"})], "wrong_answer"),
        ([Score(name="any", value=0.0, details={"failure": ["loop"]})], "wrong_answer"),
        ([Score(name="any", value=0.0), Score(name="state", value=1.0)], "wrong_answer"),
    ],
    ids=range(6),
)
def test_the_first_score_says_the_kind(sample, scores, kind):
    assert kind_of(sample(), scores) == kind


@pytest.mark.parametrize(
    ("values", "end"),
    [([], 0.05), ([0.02, None], 0.05), ([-0.12], 0.2), ([0.3], 0.3), ([5.0], 1.0), ([float("nan")], 0.05)],
    ids=range(6),
)
def test_the_axis_of_differences_holds_them_all(values, end):
    assert scale_of(values) == end


def test_plots_stay_within_their_frame():
    for plot in (share_plot(7.0, -1.0, float("nan")), difference_plot(-3.0, None, 9.0, 0.1)):
        places = [float(number) for number in re.findall(r'="([\d.-]+)%"', plot.code)]
        assert places
        assert all(0 <= place <= 100 for place in places)
    assert re.findall(r'width="([^"]+)" ', parts_plot([("win", 1), ("tie", 3)]).code) == ["25.00%", "75.00%"]


def test_a_trial_is_shown_by_its_kind():
    trial = Trial(task="t", arm="a", kind="gave_up", href="./a/report.html#task-1")
    comparison = Comparison(title="x", arms=(), outcomes={"t": {"a": 0.0}})
    arm = ArmResult(name="a", planner="", model="", passes=Proportion(passed=0, total=1, low=0, high=1))
    code = comparison_html(replace(comparison, arms=(arm,)), [trial]).code
    assert 'class="trial kind-gave-up"' in code
    assert ">gave\u00a0up</span>" in code


@pytest.mark.slow
def test_300_rollouts_of_each_of_three_arms_make_a_small_page(evaluation):
    comparison, arms = evaluation(("react", "dfsdt", "react@3"), tasks=100, trials=3)
    document = render(comparison, arms)
    assert len(document) < 1_500_000
    assert document.count('class="trial ') == 900
    assert all(isinstance(one, Trajectory) for one in arms["react"][0])


def test_figures_are_rounded_as_in_the_terminal(capsys):
    from toolhaft.cli.figures import print_comparison

    share = Proportion(passed=3, total=9, low=0.1, high=0.7)
    arms = tuple(
        ArmResult(name=name, planner=name, model="m", passes=share, model_calls=2.0444, tool_calls=4.4444,
                  steps=12.0, tokens=1234.5, cost=0.123456, seconds=0.0449)
        for name in "ab"
    )  # fmt: skip
    found = Comparison(title="Small", arms=arms, pairings=(pairing(mcnemar_p=0.03125, adjusted_p=0.03125),))
    html = comparison_html(found).code
    print_comparison(found)
    printed = capsys.readouterr().out
    for figure in ("2.0", "4.4", "12.0", "0.1235", "0.04", "0.0312"):
        assert figure in printed
        assert re.search(rf"[ >]{re.escape(figure)}\b", html), figure
    assert "2.044" not in html
