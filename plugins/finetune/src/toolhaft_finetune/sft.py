"""From a model folder and rows to a trained model folder: what ``toolhaft train sft`` does."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft.report.files import hash_file, write_whole
from toolhaft.training.folders import make_output, told_clearly, whole_folder
from toolhaft.training.log import LOG, read_log
from toolhaft_finetune.card import CardFacts, write_card
from toolhaft_finetune.curve import draw_curve
from toolhaft_finetune.folder import check_model_folder, load_model, load_tokenizer, quiet
from toolhaft_finetune.lora import add_lora, merge, save_adapter
from toolhaft_finetune.masking import Sample, make_samples
from toolhaft_finetune.rows import Row, RowSet, read_rows
from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.training import Progress, Trained, Trainer

ADAPTER, MERGED, CARD, CURVE = "adapter", "merged", "README.md", "loss.svg"
_HASHED = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run of fine-tuning left.

    Attributes:
        merged: A model folder that ``hf:PATH`` opens.
        adapter: The additions alone; None if every weight was trained.
        card: The model card.
        trained: What training came to.
        dropped: Rows left out, by reason.
    """

    merged: Path
    adapter: Path | None
    card: Path
    trained: Trained
    dropped: dict[str, int]


def train_sft(
    model: Path,
    data: Sequence[Path],
    output: Path,
    settings: TrainingSettings | None = None,
    *,
    include: Collection[str] = (),
    hold_out: float = 0.0,
    resume: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Fine-tune a model on rows.

    Args:
        model: A folder with config.json, safetensors, a fast tokenizer and a chat template.
        data: JSON lines of rows, see `toolhaft_finetune.rows`.
        output: Folder for the adapter, the merged model, the card, the log and the checkpoints.
        settings: How; None takes the defaults.
        include: Rows that are trained on only if asked for, such as ``heuristic``.
        hold_out: Share of the rows, in [0, 0.5], whose loss is measured and that are not learned.
        resume: Go on where an earlier process stopped: the weights come out the same.
        progress: Told of each step.

    Raises:
        UsageError: Something of this makes no sense, or the output cannot be written.
        FormatError: A row, the model's configuration or a checkpoint is damaged.
        ModelError: The model cannot be used, or the loss is no number any more.
    """
    settings = settings or TrainingSettings()
    if not 0 <= hold_out <= 0.5:  # a value that is not a number is refused, too
        raise UsageError(f"hold_out is {hold_out!r}", where="settings", hint="Give a share from 0 to 0.5")
    check_model_folder(model)
    make_output(output, model, what="model", written=(ADAPTER, MERGED))
    rows = read_rows(data, include=include)
    tokenizer = load_tokenizer(model)
    learned, held_out, long = _render(tokenizer, rows, settings.max_tokens, hold_out)
    network = load_model(model, tokenizer, precision=settings.precision)
    _place(network)
    if settings.method == "lora":
        network = add_lora(network, settings)
    base_hash = hash_folder(model)
    trainer = Trainer(
        network,
        learned,
        settings,
        output,
        held_out=held_out,
        identity={"model": base_hash, "held_out": len(held_out)},
        progress=progress,
    )
    with quiet():
        trained = trainer.train(resume=resume)
    parameters = _count_parameters(network)
    dropped = dict(rows.left_out) | ({f"longer than {settings.max_tokens} tokens": long} if long else {})
    _save(network, tokenizer, output, settings)
    facts = CardFacts(
        base=model.name,
        base_hash=base_hash,
        settings=settings,
        trained=trained,
        rows=rows.counts(),
        held_out=len(held_out),
        dropped=dropped,
        hashes=rows.hashes,
        parameters=parameters,
        log=read_log(output / LOG),
        versions={name: version(name) for name in ("torch", "transformers", "peft", "toolhaft-finetune")},
    )
    _write_card(output, facts)
    return Result(
        merged=output / MERGED,
        adapter=output / ADAPTER if settings.method == "lora" else None,
        card=output / CARD,
        trained=trained,
        dropped=dropped,
    )


def hash_folder(folder: Path) -> str:
    """Return one SHA-256 for the files of a model folder that decide what the model says."""
    found = hashlib.sha256()
    for path in sorted({path for kind in _HASHED for path in folder.glob(kind)}):
        found.update(f"{path.name} {hash_file(path)}\n".encode())
    return found.hexdigest()


def _render(
    tokenizer: Any, rows: RowSet, max_tokens: int, hold_out: float
) -> tuple[list[Sample], list[Sample], int]:
    """Return the samples to learn, those held out, and how many rows were too long."""
    learned: list[Sample] = []
    held_out: list[Sample] = []
    long: Counter[str] = Counter()
    for row in rows.rows:
        samples = make_samples(tokenizer, row)
        if any(len(sample) > max_tokens for sample in samples):
            long[row.where] += 1
        else:
            (held_out if _is_held_out(row, hold_out) else learned).extend(samples)
    if not learned:
        raise UsageError(
            f"no row is left: {len(long)} of {len(rows.rows)} are longer than {max_tokens} tokens",
            where=", ".join(rows.hashes),
            hint="Allow more with max_tokens, or hold fewer out",
        )
    return learned, held_out, sum(long.values())


def _is_held_out(row: Row, share: float) -> bool:
    """Decide by the row's own text, so that the same rows are held out whatever stands around them."""
    digest = hashlib.sha256(repr((row.messages, row.tools)).encode()).digest()
    return int.from_bytes(digest[:4]) < share * 2**32


def _place(network: Any) -> None:
    import torch

    if torch.cuda.is_available():
        network.to("cuda")


def _count_parameters(network: Any) -> tuple[int, int]:
    numbers = [(one.numel(), one.requires_grad) for one in network.parameters()]
    return sum(number for number, trained in numbers if trained), sum(number for number, _ in numbers)


def _write_card(output: Path, facts: CardFacts) -> None:
    with told_clearly(output):
        write_whole(output / CURVE, [draw_curve(facts.log, "Loss by step").encode()])
        write_whole(output / CARD, [write_card(facts).encode()])


def _save(network: Any, tokenizer: Any, output: Path, settings: TrainingSettings) -> None:
    """Write the adapter and the merged model, each all or nothing."""
    from safetensors import SafetensorError

    with told_clearly(output, SafetensorError):
        if settings.method == "lora":
            with whole_folder(output / ADAPTER) as folder:
                save_adapter(network, folder)
            network = merge(network)
        with whole_folder(output / MERGED) as folder, quiet():
            network.save_pretrained(str(folder), safe_serialization=True)
            tokenizer.save_pretrained(str(folder))
