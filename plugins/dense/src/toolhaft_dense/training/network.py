"""The encoder while it learns: texts into vectors with gradients, computed in parts of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, UsageError
from toolhaft_dense.batches import plan_batches
from toolhaft_dense.torch_weights import load_weights
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.weights import EncoderFolder

if TYPE_CHECKING:
    import torch


class Network:
    """An encoder whose weights change.

    Args:
        folder: Of the encoder that training begins with.
        settings: How it is trained.

    Attributes:
        model: What transformers has for it.
        precision: ``float32`` or ``bfloat16``: of the arithmetic; weights and sums are float32.

    Raises:
        ConfigError: torch is missing, the weights are damaged, or there are fewer layers than are frozen.
    """

    def __init__(self, folder: EncoderFolder, settings: RetrieverSettings) -> None:
        self.folder = folder
        self._tokenizer, self.model, self.device = load_weights(folder)
        self.precision = _precision(settings.precision, self.device)
        self._budget = settings.batch_tokens
        _freeze(self.model, settings.frozen_layers, str(folder.path))

    def tokens(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """Return the tokens of each text, cut to ``longest`` or to what the encoder reads."""
        readable = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        longest = min(longest, self.folder.longest)
        rows: list[list[int]] = self._tokenizer(readable, truncation=True, max_length=longest)["input_ids"]
        return rows

    def vectors(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return one vector of length 1 for the tokens of each text, shape (texts, width), float32."""
        import torch

        plan = plan_batches([len(row) for row in rows], self._budget)
        parts = [self._run([rows[place] for place in batch]) for batch in plan.batches]
        order = torch.tensor([place for batch in plan.batches for place in batch])
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        return torch.cat(parts)[back.to(self.device)]

    def measured(self, texts: Sequence[str]) -> torch.Tensor:
        """Return vectors as they will be served: without gradients and dropout, and of whole texts.

        Raises:
            UsageError: The encoder gives no numbers.
        """
        import torch

        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            found = self.vectors(self.tokens(texts, self.folder.longest)).cpu()
        self.model.train(training)
        if not bool(torch.isfinite(found).all()):
            raise UsageError("the encoder gives no numbers", where=str(self.folder.path))
        return found

    def trained(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the parameters that change, by name."""
        return ((name, one) for name, one in self.model.named_parameters() if one.requires_grad)

    def sizes(self) -> tuple[int, int]:
        """Return how many numbers change, and how many there are."""
        every = [(one.numel(), one.requires_grad) for one in self.model.parameters()]
        return sum(size for size, changes in every if changes), sum(size for size, _ in every)

    def _run(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        import torch

        given = self._tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt").to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bfloat16"):
            tokens = self.model(**given).last_hidden_state
        tokens = tokens.float()
        if self.folder.pooling == "first":
            pooled = tokens[:, 0]
        else:
            mask = given["attention_mask"].unsqueeze(-1)
            pooled = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1)
        return torch.nn.functional.normalize(pooled, dim=1)


def _precision(wanted: str, device: str) -> str:
    import torch

    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    # Where the processor multiplies bfloat16 itself, a step takes half the time; elsewhere longer.
    computes = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return "bfloat16" if computes is not None and computes() else "float32"


def _freeze(model: Any, layers: int, where: str) -> None:
    """Keep the pooler, which no vector depends on, and the lowest layers as they are."""
    blocks = next((part for part in _stacks(model) if len(part) == model.config.num_hidden_layers), None)
    if layers and blocks is None:
        raise ConfigError("the encoder's layers are not known, so none can be frozen", where=where)
    if blocks is not None and layers > len(blocks):
        raise ConfigError(
            f"the encoder has {len(blocks)} layers, fewer than the {layers} to be frozen",
            where=where,
            hint="Lower frozen_layers",
        )
    still = [model.pooler] if getattr(model, "pooler", None) is not None else []
    if layers:
        still += [model.get_input_embeddings(), *list(blocks or ())[: layers - 1]]
        if getattr(model, "embeddings", None) is not None:
            still.append(model.embeddings)
    for part in still:
        for one in part.parameters():
            one.requires_grad_(False)


def _stacks(model: Any) -> Iterator[Any]:
    import torch

    return (part for part in model.modules() if isinstance(part, torch.nn.ModuleList))
