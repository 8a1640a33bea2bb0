"""What bm25 says of the queries that an encoder learns."""

from dataclasses import replace

import pytest

from toolhaft.testing import tool_spec
from toolhaft_dense.training.examples import LearningQuery
from toolhaft_dense.training.mining import SPREAD, Miner
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.words import rank_by_words

from .training_sets import make_set

pytestmark = pytest.mark.slow


def test_words_are_told_in_standard_deviations_and_names_may_stand_twice():
    learning = make_set()
    twice = replace(learning.tools[0], description="Find the tide of a given shore.")
    learning = replace(learning, tools=(*learning.tools, twice))
    last = len(learning.tools) - 1
    queries = [
        LearningQuery(text="the tide of my shore", positives=(last,)),
        LearningQuery(text="цифры", positives=(0,)),
    ]
    found, nothing = rank_by_words(learning, queries)
    assert found.places[0] == last
    points = list(found.points)
    assert points == sorted(points, reverse=True)
    assert found.by_place()[last] == points[0]
    assert points[0] > 1
    assert min(points) >= 0
    assert not nothing.places
    assert nothing.by_place() == {}


def test_negatives_of_both_are_those_that_hybrid_would_rank_high():
    """One tool leads by its words, one by its vector, one is second in both: that one misleads hybrid."""
    import torch

    tools = tuple(
        tool_spec(name, description=text)
        for name, text in (
            ("alpha", "storm storm storm"),
            ("beta", "nothing of it"),
            ("gamma", "storm"),
            ("delta", "other words"),
        )
    )
    learning = replace(
        make_set(), tools=tools, queries=(LearningQuery(text="storm", positives=(3,)),), hashes={}
    )
    settings = RetrieverSettings(negatives=("dense", "hybrid"), depth=2, lexical=0.0)
    miner = Miner(learning, learning.queries, settings)
    assert miner.needs_vectors
    asked = torch.tensor([[1.0, 0.0]])
    cosines = torch.tensor([0.0, 0.9, 0.8, 0.1])
    vectors = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=1)
    ranked = miner.rank(vectors, asked, [1])
    assert float(ranked[SPREAD]) == pytest.approx(float(cosines.std(correction=0)), abs=1e-6)
    dense, hybrid = miner.mine(ranked).by_source[0][1:]
    assert dense == (1, 2)
    assert set(hybrid) == {0, 2}


def test_what_words_tell_is_not_learned_again():
    """The loss beside words moves the encoder only where words do not decide."""
    import torch

    from toolhaft_dense.training.losses import beside_words, mask_positives, ranking_loss

    mask = mask_positives([(0, (0,))], [0, 1], [0, 1])
    slopes = []
    for points in ([[8.0, 0.0]], [[0.0, 8.0]]):
        cosines = torch.tensor([[0.3, 0.3]], requires_grad=True)
        ranking_loss(beside_words(cosines, torch.tensor(points), 0.05), [0], mask).backward()
        slopes.append(float(cosines.grad[0, 0]))
    told, misled = slopes
    assert misled < 0  # the right tool is drawn near
    assert abs(told) < abs(misled) / 1_000


def test_training_beside_words_can_be_left_out():
    settings = RetrieverSettings(lexical=0.0, hard_negatives=0)
    miner = Miner(make_set(), make_set().queries, settings)
    assert not miner.needs_vectors
    assert not miner.words
