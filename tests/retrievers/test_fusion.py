"""Rankings made into one: what each way of fusing gives, by hand."""

import pytest

from toolhaft.errors import ConfigError
from toolhaft.retrievers.fusion import best_of, check_fusion, check_weights, fuse, lift_groups

FIRST = [("a", 4.0), ("b", 2.0), ("c", 0.0)]
SECOND = [("c", 0.9), ("d", 0.5)]


def test_reciprocal_ranks():
    fused = fuse([FIRST, SECOND], (1.0, 2.0), fusion="rrf")
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 63 + 2 / 61, "d": 2 / 62})
    assert list(fused) == ["a", "b", "c", "d"]
    assert fuse([FIRST], (1.0,), fusion="rrf", constant=0) == pytest.approx({"a": 1, "b": 1 / 2, "c": 1 / 3})


def test_shares_of_the_range():
    fused = fuse([FIRST, SECOND], (1.0, 1.0), fusion="min-max")
    assert fused == pytest.approx({"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.0})


def test_a_ranking_that_ended_early_left_out_only_what_scores_nothing():
    fused = fuse([FIRST, SECOND], (1.0, 1.0), fusion="min-max", depth=3)
    assert fused == pytest.approx({"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.5 / 0.9})


def test_standard_deviations_above_the_lowest():
    fused = fuse([FIRST], (1.0,), fusion="z-score")
    deviation = (8 / 3) ** 0.5
    assert fused == pytest.approx({"a": 4 / deviation, "b": 2 / deviation, "c": 0.0})
    assert fuse([[("a", 0.5)]], (2.0,), fusion="z-score", depth=9) == pytest.approx({"a": 4.0})


@pytest.mark.parametrize("fusion", ["rrf", "z-score", "min-max"])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_the_scale_of_a_retriever_does_not_matter(fusion, scale):
    scaled = [(name, scale * score) for name, score in FIRST]
    assert fuse([scaled, SECOND], (1.0, 0.5), fusion=fusion) == pytest.approx(
        fuse([FIRST, SECOND], (1.0, 0.5), fusion=fusion)
    )


@pytest.mark.parametrize("fusion", ["rrf", "z-score", "min-max"])
def test_equal_scores_and_empty_rankings(fusion):
    fused = fuse([[("a", 1.0), ("b", 1.0)], []], (1.0, 1.0), fusion=fusion)
    assert [name for name, _ in best_of(fused, 5)] == ["a", "b"]
    assert all(score > 0 for score in fused.values())
    assert fuse([[], []], (1.0, 1.0), fusion=fusion) == {}


def test_negative_scores_are_ranked_too():
    fused = fuse([[("a", -1.0), ("b", -3.0)]], (1.0,), fusion="min-max")
    assert fused == {"a": 1.0, "b": 0.0}


def test_equal_scores_stand_as_they_were_found():
    fused = fuse([[("x", 1.0), ("y", 0.5)], [("y", 1.0), ("x", 0.5)]], (1.0, 1.0), fusion="rrf")
    assert [name for name, _ in best_of(fused, 2)] == ["x", "y"]


def test_groups_are_lifted_and_what_has_none_is_not():
    lifted = lift_groups({"a": 1.0, "b": 0.5, "c": 0.8}, 0.5, {"a": "s", "b": "s", "c": "t"}.__getitem__)
    assert lifted == pytest.approx({"a": 1.5, "b": 1.0, "c": 1.2})
    lifted = lift_groups({"a": 1.0, "b": 0.5, "c": 0.8}, 0.5, lambda name: "" if name == "c" else "s")
    assert lifted == {"a": 1.5, "b": 1.0, "c": 0.8}


@pytest.mark.parametrize("fusion", ["rff", "", None, 3, ["rrf"]])
def test_there_are_three_fusions(fusion):
    with pytest.raises(ConfigError, match="rrf, z-score, min-max"):
        check_fusion(fusion)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0], "1 weights for 2 parts"),
        ([1.0, -1.0], "a weight is -1.0"),
        ([1.0, float("nan")], "a weight is nan"),
        ([1.0, True], "a weight is True"),
        ([1.0, "2"], "a weight is '2'"),
        ([0, 0], "all weights are 0"),
        ([1, 1e9], "a weight is 1000000000.0"),
    ],
)
def test_weights_are_numbers_of_this_world(weights, says):
    with pytest.raises(ConfigError) as caught:
        check_weights(weights, 2)
    assert says in str(caught.value)
