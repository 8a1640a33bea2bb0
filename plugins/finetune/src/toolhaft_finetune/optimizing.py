"""Optimizers, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError
from toolhaft_finetune.settings import TrainingSettings

if TYPE_CHECKING:
    import torch

_MOMENTUM = 0.95


class Optimizers:
    """One optimizer, or two where matrices go another way than the rest.

    Args:
        model: Its trainable parameters are taken, in its order.
        settings: Which, and how fast.

    Source: ``muon`` is Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), as
    torch has it: embeddings, norms and what has not two dimensions go by AdamW.
    """

    def __init__(self, model: torch.nn.Module, settings: TrainingSettings) -> None:
        import torch

        trained = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
        self.parameters = [one for _, one in trained]
        matrices = [one for name, one in trained if settings.optimizer == "muon" and _is_matrix(name, one)]
        chosen = {id(one) for one in matrices}
        rest = [one for one in self.parameters if id(one) not in chosen]
        self._each: list[tuple[Any, float]] = []
        if rest:
            adamw = torch.optim.AdamW(
                rest,
                lr=settings.learning_rate,
                betas=(0.9, _MOMENTUM),
                weight_decay=settings.weight_decay,
                foreach=False,
            )
            self._each.append((adamw, settings.learning_rate))
        if matrices:
            muon = torch.optim.Muon(
                matrices, lr=settings.matrix_rate, momentum=_MOMENTUM, weight_decay=settings.weight_decay
            )
            self._each.append((muon, settings.matrix_rate))

    def step(self, share: float) -> None:
        """Take a step at a share of the highest rates, and forget the gradients."""
        for optimizer, rate in self._each:
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the state by name: optimizer, position of the parameter, quantity."""
        return {
            f"{number}.{position}.{quantity}": value.detach().cpu().contiguous()
            for number, (optimizer, _) in enumerate(self._each)
            for position, state in optimizer.state_dict()["state"].items()
            for quantity, value in state.items()
        }

    def load(self, tensors: dict[str, torch.Tensor], where: str) -> None:
        """Take a state that `tensors` returned.

        Raises:
            FormatError: It is of other parameters.
        """
        for number, (optimizer, _) in enumerate(self._each):
            groups = optimizer.state_dict()["param_groups"]
            states: dict[int, dict[str, torch.Tensor]] = {}
            for name, value in tensors.items():
                owner, position, quantity = name.split(".", 2)
                if int(owner) == number:
                    states.setdefault(int(position), {})[quantity] = value
            if set(states) != {place for group in groups for place in group["params"]}:
                raise FormatError("the optimizer's state is of another model", where=where)
            optimizer.load_state_dict({"state": states, "param_groups": groups})


def _is_matrix(name: str, parameter: torch.Tensor) -> bool:
    outside: Sequence[str] = ("embed", "wte", "wpe", "lm_head")
    return parameter.ndim == 2 and not any(word in name for word in outside)
