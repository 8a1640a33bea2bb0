"""One step of training: the scores of a batch, their loss, and the new weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from toolhaft.errors import FormatError, ModelError
from toolhaft_dense.training.batches import Pair, chance_of
from toolhaft_dense.training.examples import LearningQuery
from toolhaft_dense.training.losses import (
    beside_words,
    distillation_loss,
    mask_positives,
    ranking_loss,
)
from toolhaft_dense.training.mining import Negatives, same_documents
from toolhaft_dense.training.network import Network
from toolhaft_dense.training.scoring import score_tools, spans_of, split_queries
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.words import WordRanking

if TYPE_CHECKING:
    import torch


class Teacher(Protocol):
    """Says how well texts fit a query."""

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score a text, the higher the better; of any scale."""
        ...


class Stepper:
    """Makes the steps.

    Args:
        network: What learns.
        queries: Those that are learned.
        passages: Of all tools.
        settings: How.
        words: What words say of the tools of each query; needed where ``settings.lexical`` is not 0.
        teacher: Whose scores are learned, too; needed where ``settings.distillation`` is not ``none``.

    Attributes:
        spread: The standard deviation of the encoder's best scores of a query, before it learns.
    """

    def __init__(
        self,
        network: Network,
        queries: Sequence[LearningQuery],
        passages: Sequence[str],
        settings: RetrieverSettings,
        *,
        words: Sequence[WordRanking] = (),
        teacher: Teacher | None = None,
    ) -> None:
        import torch

        self.spread = 1.0
        self._words = words if settings.lexical else ()
        self._network = network
        self._queries = queries
        self._passages = passages
        self._settings = settings
        self._teacher = teacher if settings.distillation != "none" else None
        self._same = same_documents(passages)
        parts, counts = split_queries([query.text for query in queries], sentences=settings.sentences)
        tokens = network.tokens(parts, settings.max_tokens)
        self._query_tokens = [tokens[start:end] for start, end in spans_of(counts)]
        self._tool_tokens = network.tokens(passages, settings.max_tokens)
        self._parameters = [one for _, one in network.trained()]
        self._optimizer = torch.optim.AdamW(
            self._parameters,
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            foreach=False,
        )

    def learn(self, step: int, steps: int, batch: Sequence[Pair], negatives: Negatives) -> tuple[float, int]:
        """Make a step; return its loss and the tokens it saw.

        Raises:
            ModelError: The loss is no number any more.
        """
        import torch

        torch.manual_seed(chance_of(self._settings.seed, "dropout", step).getrandbits(48))
        hard = self._draw(step, batch, negatives)
        loss, tokens = self._loss(batch, hard)
        said = float(loss.detach())
        if said != said or said in (float("inf"), float("-inf")):
            raise ModelError(
                f"the loss is {said} at step {step + 1}",
                where=str(self._network.folder.path),
                hint="Try a smaller learning rate, a longer warm-up, or precision=float32",
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, self._settings.clip, foreach=False)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * self._settings.rate_at(step, steps)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return said, tokens

    def state(self) -> dict[str, torch.Tensor]:
        """Return the optimizer's state by position of the parameter and quantity."""
        return {
            f"{position}.{quantity}": value.detach().cpu().contiguous()
            for position, state in self._optimizer.state_dict()["state"].items()
            for quantity, value in state.items()
        }

    def load(self, tensors: Mapping[str, torch.Tensor], where: str) -> None:
        """Take a state that `state` returned.

        Raises:
            FormatError: It is of other parameters.
        """
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            position, _, quantity = name.partition(".")
            states.setdefault(int(position), {})[quantity] = value
        if set(states) != set(range(len(self._parameters))):
            raise FormatError("the optimizer's state is of another encoder", where=where)
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": states, "param_groups": groups})

    def _draw(self, step: int, batch: Sequence[Pair], negatives: Negatives) -> list[list[int]]:
        number = self._settings.hard_negatives
        return [
            negatives.draw(query, number, chance_of(self._settings.seed, "negatives", step, row))
            for row, (query, _) in enumerate(batch)
        ]

    def _loss(self, batch: Sequence[Pair], hard: Sequence[Sequence[int]]) -> tuple[torch.Tensor, int]:
        asked = list(dict.fromkeys(query for query, _ in batch))
        shown = list(dict.fromkeys([*(tool for _, tool in batch), *(one for few in hard for one in few)]))
        counts = [len(self._query_tokens[query]) for query in asked]
        tokens = [part for query in asked for part in self._query_tokens[query]]
        tokens += [self._tool_tokens[tool] for tool in shown]
        vectors = self._network.vectors(tokens)
        parts, tools = vectors[: sum(counts)], vectors[sum(counts) :]
        row_of = {query: row for row, query in enumerate(asked)}
        column_of = {tool: column for column, tool in enumerate(shown)}
        cosines = score_tools(parts, counts, tools)
        scores = self._settings.scale * cosines
        rows = [row_of[query] for query, _ in batch]
        columns = [column_of[tool] for _, tool in batch]
        mask = mask_positives(
            [(column_of[tool], self._queries[query].positives) for query, tool in batch], shown, self._same
        )
        loss = ranking_loss(scores[rows], columns, mask)
        if self._settings.symmetric:
            back = self._mask_queries(batch, asked)
            loss = (loss + ranking_loss(scores.T[columns], rows, back)) / 2
        if self._words:
            both = beside_words(cosines, self._said(asked, shown).to(cosines.device), self.spread)
            loss = loss + self._settings.lexical * ranking_loss(both[rows], columns, mask)
        if self._teacher is not None:
            wanted = self._distilled(batch, hard, scores, row_of, column_of)
            loss = loss + self._settings.distillation_weight * wanted
        return loss, sum(len(row) for row in tokens)

    def _said(self, asked: Sequence[int], shown: Sequence[int]) -> torch.Tensor:
        """Return what words say of the tools, shape (queries, tools)."""
        import torch

        said = [self._words[query].by_place() for query in asked]
        return torch.tensor([[points.get(tool, 0.0) for tool in shown] for points in said])

    def _mask_queries(self, batch: Sequence[Pair], asked: Sequence[int]) -> torch.Tensor:
        """Return for each pair which other queries its tool answers as well."""
        import torch

        right = [{self._same[place] for place in self._queries[query].positives} for query in asked]
        return torch.tensor(
            [
                [other != query and self._same[tool] in right[column] for column, other in enumerate(asked)]
                for query, tool in batch
            ]
        )

    def _distilled(
        self,
        batch: Sequence[Pair],
        hard: Sequence[Sequence[int]],
        scores: torch.Tensor,
        row_of: Mapping[int, int],
        column_of: Mapping[int, int],
    ) -> Any:
        import torch

        number = self._settings.hard_negatives
        chosen = [(query, [tool, *few]) for (query, tool), few in zip(batch, hard, strict=True)]
        chosen = [(query, tools) for query, tools in chosen if len(tools) == number + 1]
        if not chosen or self._teacher is None:
            return torch.zeros((), device=scores.device)
        student = torch.stack(
            [scores[row_of[query], [column_of[tool] for tool in tools]] for query, tools in chosen]
        )
        said = [
            list(self._teacher.scores(self._queries[query].text, [self._passages[tool] for tool in tools]))
            for query, tools in chosen
        ]
        teacher = torch.tensor(said, device=scores.device)
        return distillation_loss(student, teacher, margin=self._settings.distillation == "margin")
