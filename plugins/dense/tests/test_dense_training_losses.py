"""No right answer is ever pushed away."""

import math

import pytest

from toolhaft_dense.training.losses import distillation_loss, mask_positives, ranking_loss

pytestmark = pytest.mark.slow


def test_other_answers_and_their_likes_are_masked_and_nothing_else():
    # Tools 0 and 1 answer the first query, 2 the second; 3 reads like 1, 4 like nothing.
    same = [0, 1, 2, 1, 4]
    rows = [(0, (0, 1)), (2, (2,)), (1, (0, 1))]
    mask = mask_positives(rows, columns=[0, 1, 2, 3, 4], same=same)
    assert mask.tolist() == [
        [False, True, False, True, False],
        [False, False, False, False, False],
        [True, False, False, True, False],
    ]


def test_a_masked_score_changes_neither_loss_nor_gradient():
    import torch

    scores = torch.tensor([[2.0, 1.0, 0.0]], requires_grad=True)
    mask = torch.tensor([[False, True, False]])
    loss = ranking_loss(scores, [0], mask)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2.0)))
    assert scores.grad[0, 1].item() == 0.0
    assert scores.grad[0, 2].item() > 0


def test_distillation_is_nothing_where_pupil_and_teacher_agree():
    import torch

    student = torch.tensor([[3.0, 1.0, -1.0], [0.5, 0.0, 2.0]])
    shifted = student + torch.tensor([[5.0], [-2.0]])
    for margin in (True, False):
        assert distillation_loss(student, shifted, margin=margin).item() == pytest.approx(0, abs=1e-6)
        assert distillation_loss(student, -shifted, margin=margin).item() > 0.1
    margins = distillation_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]]), margin=True)
    assert margins.item() == pytest.approx(4.0)


def test_a_tool_scores_in_training_as_it_does_when_served():
    import torch

    from toolhaft_dense.search import combine
    from toolhaft_dense.training.scoring import score_tools, split_queries

    parts, counts = split_queries(["Rain? Snow! Sun.", "Wind.", "One. Two."], sentences=True)
    assert (len(parts), counts) == (8, [4, 1, 3])
    assert split_queries(["Rain? Snow!"], sentences=False) == (["Rain? Snow!"], [1])
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(14, 8), dim=1)
    asked, tools = vectors[:8], vectors[8:]
    cosines = (asked @ tools.T).numpy()
    served = [combine(cosines[:4]), combine(cosines[4:5]), combine(cosines[5:])]
    found = score_tools(asked, counts, tools)
    assert found.shape == (3, 6)
    assert [row.tolist() for row in found] == [pytest.approx(row.tolist(), abs=1e-6) for row in served]


def test_a_step_never_lowers_the_score_of_another_answer(tiny_encoder):
    """Two tools answer a query; a batch that has both as columns moves neither away by its own loss."""
    import torch

    from toolhaft_dense.training.network import Network
    from toolhaft_dense.training.settings import RetrieverSettings
    from toolhaft_dense.training.stepping import Stepper
    from toolhaft_dense.weights import find_encoder

    from .training_sets import make_set

    learning = make_set()
    settings = RetrieverSettings(precision="float32", hard_negatives=0, symmetric=True, lexical=0)
    network = Network(find_encoder(tiny_encoder), settings)
    queries = [learning.queries[6]]  # answered by tools 0 and 1
    stepper = Stepper(network, queries, learning.passages(), settings)
    loss, tokens = stepper._loss([(0, 0), (0, 1)], [[], []])
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert tokens > 0
    assert torch.isfinite(loss)
