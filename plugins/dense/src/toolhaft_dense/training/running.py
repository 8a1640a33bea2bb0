"""From tools and queries to a trained encoder: what ``toolhaft train retriever`` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from toolhaft.errors import UsageError
from toolhaft.report.files import write_whole
from toolhaft.training.checkpoints import list_checkpoints
from toolhaft.training.folders import make_output, told_clearly
from toolhaft.training.log import LOG, read_log
from toolhaft_dense.training.card import CardFacts, write_card
from toolhaft_dense.training.examples import LearningQuery, LearningSet, hold_out_services
from toolhaft_dense.training.measuring import Measure
from toolhaft_dense.training.network import Network
from toolhaft_dense.training.saving import save_encoder
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.synthetic import make_queries
from toolhaft_dense.training.teacher import CrossEncoderTeacher
from toolhaft_dense.training.trainer import CHECKPOINTS, Progress, Trained, Trainer
from toolhaft_dense.weights import find_encoder

MODEL, CARD = "model", "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run of training left.

    Attributes:
        model: A folder that the retriever ``dense`` opens, and sentence-transformers too.
        card: The model card; it is in the model's folder, too.
        trained: What training came to.
        queries: Queries learned, by who made them.
        held_out: Queries that the weights were chosen by.
        before: NDCG@5 before training, on the queries held out, or those of the test; None if there are none.
        after: The same after it.
    """

    model: Path
    card: Path
    trained: Trained
    queries: dict[str, int]
    held_out: int = 0
    before: float | None = None
    after: float | None = None


def train_retriever(
    learning: LearningSet,
    output: Path,
    settings: RetrieverSettings | None = None,
    *,
    model: str | Path | None = None,
    teacher: str | Path | None = None,
    preset: str = "default",
    resume: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Train an encoder to find tools.

    Args:
        learning: Tools and queries, see `toolhaft_dense.training.sources.gather`.
        output: Folder for the encoder, the card, the log and the checkpoints.
        settings: How; None takes the defaults.
        model: Folder of the encoder to begin with; None is the packaged one.
        teacher: Folder of a cross-encoder whose scores are learned, too.
        preset: Name of what the settings began with, for the card.
        resume: Go on where an earlier process stopped: the weights come out the same.
        progress: Told of each step.

    Raises:
        UsageError: Something of this makes no sense, or the output cannot be written.
        ConfigError: The encoder or the teacher cannot be opened.
        FormatError: A checkpoint is damaged.
        ModelError: The loss is no number any more.
    """
    settings = settings or RetrieverSettings()
    folder = find_encoder(model)
    make_output(output, folder.path, what="encoder", written=(MODEL,))
    _refuse_taken(output, resume=resume)
    guide = _open_teacher(teacher, settings)
    if settings.synthetic:
        learning = learning.with_queries(make_queries(learning, settings.synthetic, settings.seed))
    learned, held_out = hold_out_services(learning, settings.hold_out, settings.seed)
    network = Network(folder, settings)
    base_hash = folder.fingerprint()
    trainer = Trainer(
        network,
        learning,
        learned,
        held_out,
        settings,
        output,
        identity={"model": base_hash, "teacher": "" if guide is None else guide.digest},
        teacher=guide,
        progress=progress,
    )
    tests = Measure(
        learning.tests, learning.passages(), most=len(learning.tools), sentences=settings.sentences
    )
    before = tests.mean(network)
    trained = trainer.train(resume=resume)
    log = read_log(output / LOG)
    facts = CardFacts(
        base=folder.path.name if model is not None else "all-MiniLM-L6-v2",
        base_hash=base_hash,
        preset=preset,
        settings=settings,
        trained=trained,
        queries=_counted(learned),
        held_out=len(held_out),
        tested=len(learning.tests),
        tools=(len(learning.tools), len(set(learning.groups()))),
        left_out=learning.left_out,
        hashes=learning.hashes,
        digest=learning.digest(),
        parameters=network.sizes(),
        precision=network.precision,
        device=network.device,
        test=(before, tests.mean(network)) if learning.tests else None,
        teacher="" if teacher is None or guide is None else Path(teacher).name,
        log=log,
        versions={name: version(name) for name in ("torch", "transformers", "toolhaft-dense")},
    )
    return _write(network, output, facts)


def _write(network: Network, output: Path, facts: CardFacts) -> Result:
    card = write_card(facts)
    save_encoder(network, output / MODEL, card)
    with told_clearly(output / CARD):
        write_whole(output / CARD, [card.encode()])
    result = Result(
        model=output / MODEL,
        card=output / CARD,
        trained=facts.trained,
        queries=dict(facts.queries),
        held_out=facts.held_out,
    )
    if facts.test is not None:
        return replace(result, before=facts.test[0], after=facts.test[1])
    held = [line["ndcg@5"] for line in facts.log if "ndcg@5" in line]
    return replace(result, before=held[0], after=facts.trained.best) if held else result


def _open_teacher(teacher: str | Path | None, settings: RetrieverSettings) -> CrossEncoderTeacher | None:
    if (teacher is None) != (settings.distillation == "none"):
        said = "a teacher and no distillation" if teacher is not None else "distillation without a teacher"
        hint = "Give both --teacher FOLDER and --set distillation=kl (or margin), or neither"
        raise UsageError(said, where="settings", hint=hint)
    return None if teacher is None else CrossEncoderTeacher(teacher)


def _refuse_taken(output: Path, *, resume: bool) -> None:
    written = (MODEL, CARD) if resume else (MODEL, CARD, LOG)
    taken = [name for name in written if (output / name).exists()]
    if taken and not list_checkpoints(output / CHECKPOINTS):
        raise UsageError(
            f"the output holds {taken[0]} already", where=str(output), hint="Train into another folder"
        )


def _counted(queries: Sequence[LearningQuery]) -> dict[str, int]:
    return dict(Counter(query.origin for query in queries))
