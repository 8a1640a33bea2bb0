"""What is minimised, and which pairs are never taken for wrong ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_NEVER = -1e9
_SHARE = 0.7
"""What the encoder's standard deviations count beside those of words. More than in ``hybrid``, where the
encoder is one that has not learned the catalog."""


def mask_positives(
    rows: Sequence[tuple[int, Collection[int]]], columns: Sequence[int], same: Sequence[int]
) -> torch.Tensor:
    """Return which scores are left out of the softmax, shape (rows, columns).

    That is every other tool that answers the row's query, and every document that reads like one of
    these: neither is a negative.

    Args:
        rows: The column of the row's own tool, and the positions of all tools that answer its query.
        columns: Position of the tool in each column.
        same: For each tool, a number that tools with equal documents share.
    """
    import torch

    mask = torch.zeros((len(rows), len(columns)), dtype=torch.bool)
    for row, (own, positives) in enumerate(rows):
        right = {same[place] for place in positives}
        for column, place in enumerate(columns):
            mask[row, column] = column != own and same[place] in right
    return mask


def ranking_loss(scores: torch.Tensor, own: Sequence[int], mask: torch.Tensor) -> torch.Tensor:
    """Return the mean negative logarithm of the probability of each row's own column.

    Args:
        scores: Shape (rows, columns), scaled.
        own: Column of each row.
        mask: Scores that are left out, see `mask_positives`.

    Source: M. Henderson et al., "Efficient natural language response suggestion for smart reply" (2017),
    section 4.4 (multiple negatives); with hard negatives as V. Karpukhin et al., "Dense passage retrieval",
    EMNLP 2020, section 3.2. Our deviation: the mask.
    """
    import torch

    target = torch.tensor(list(own), device=scores.device)
    return torch.nn.functional.cross_entropy(scores.masked_fill(mask.to(scores.device), _NEVER), target)


def beside_words(cosines: torch.Tensor, points: torch.Tensor, spread: float) -> torch.Tensor:
    """Return the scores of an encoder and of words together, whose loss teaches what words leave open.

    Where words already tell the right tool from a wrong one, nothing is left to learn; where they mislead,
    much is.

    Args:
        cosines: Shape (rows, columns).
        points: What words give each, in standard deviations; the same shape.
        spread: The standard deviation of the encoder's best scores, before it learned.

    Source: L. Gao et al., "Complement lexical retrieval model with semantic residual embeddings", ECIR 2021,
    section 3.2. Our deviations: a softmax over scores in standard deviations in place of a hinge with a
    margin that depends on the lexical score, and the encoder learns from its own loss, too.
    """
    return points + _SHARE / spread * cosines


def distillation_loss(student: Any, teacher: Any, *, margin: bool) -> torch.Tensor:
    """Return how far a student's scores are from a teacher's, each row the tool first, then negatives.

    Args:
        student: Shape (rows, 1 + negatives).
        teacher: The same shape and scale.
        margin: Whether the differences to the tool are compared, instead of the distributions.

    Source: S. Hofstätter et al., "Improving efficient neural ranking models with cross-architecture
    knowledge distillation" (2020), equation 6 (margins); G. Hinton et al. (2015), section 2 (distributions).
    """
    import torch

    if margin:
        ours, theirs = student[:, :1] - student[:, 1:], teacher[:, :1] - teacher[:, 1:]
        return torch.nn.functional.mse_loss(ours, theirs)
    return torch.nn.functional.kl_div(
        student.log_softmax(dim=1), teacher.softmax(dim=1), reduction="batchmean"
    )
