"""Low-rank additions to a model, and their merging into it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft_finetune.settings import ALL_LINEAR, TrainingSettings


def add_lora(model: Any, settings: TrainingSettings) -> Any:
    """Freeze a model and return it with trainable additions to its linear layers.

    Args:
        model: A causal language model.
        settings: Rank, scale, dropout, targets, and the seed of the first values.

    Raises:
        UsageError: No layer answers to the targets.

    Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), section 4. Deviation: all
    linear layers are adapted by default, as in Dettmers et al., "QLoRA" (2023), section 4.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(settings.seed)
    targets = ALL_LINEAR if settings.targets == (ALL_LINEAR,) else list(settings.targets)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():
            # peft asks transformers for a property by the name that it had before.
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
            adapted = get_peft_model(model, config)
    except ValueError as error:
        linear = sorted(
            {name.split(".")[-1] for name, one in model.named_modules() if isinstance(one, torch.nn.Linear)}
        )
        raise UsageError(
            f"no layer answers to the targets {', '.join(settings.targets)}",
            where="settings",
            hint=f"Linear layers of this model: {', '.join(linear)}",
        ) from error
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def save_adapter(adapted: Any, folder: Path) -> None:
    """Write the additions alone, as safetensors with their configuration."""
    adapted.save_pretrained(str(folder), safe_serialization=True)
    # Its text is a form that nobody filled in; the model card stands one folder above.
    (folder / "README.md").unlink(missing_ok=True)


def merge(adapted: Any) -> Any:
    """Return the model with the additions in its weights."""
    return adapted.merge_and_unload()
