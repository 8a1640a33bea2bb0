"""An encoder computed by onnxruntime: neither torch nor transformers is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import ConfigError, ToolhaftError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_dense.bert_shape import BertShape
from toolhaft_dense.onnx_files import kept_graph
from toolhaft_dense.onnx_graph import Head, build_graph
from toolhaft_dense.onnx_matrices import Precision
from toolhaft_dense.tokens import Tokens, open_tokens
from toolhaft_dense.weights import EncoderFolder

_SILENT = 3
_LARGEST_GRAPH = 2_000_000_000
"""Bytes; the format's own limit for one file."""
_SERIALIZED = {"F32", "F16"}


class OnnxRuntime:
    """Computes a BERT by a graph that is made once from its weights.

    Args:
        folder: Of the encoder.
        shape: Its sizes.
        head: What becomes of the tokens' vectors.
        precision: Of the large matrices.
        threads: None leaves them to onnxruntime.
        cache: Where the made graph is kept; None keeps nothing.

    Raises:
        ConfigError: A module is missing, or a file of the folder is damaged.
    """

    def __init__(
        self,
        folder: EncoderFolder,
        shape: BertShape,
        *,
        head: Head,
        precision: Precision,
        threads: int | None,
        cache: Path | None,
    ) -> None:
        self.tokens: Tokens = open_tokens(folder, shape.vocabulary)
        name = f"{folder.fingerprint()}-{head}-{precision}"

        def make() -> bytes:
            return _make(folder, shape, head, precision)

        self._session = _checked(folder, lambda: _open(kept_graph(cache, name, make), threads))

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text."""
        return self.tokens.of(texts)

    def run(self, rows: Sequence[Sequence[int]], kinds: Sequence[Sequence[int]] | None = None) -> Any:
        """Return what the graph gives for the tokens of some texts, computed at once.

        Args:
            rows: Tokens of each text.
            kinds: Of a classifier: the part of the pair that each token belongs to.
        """
        import numpy

        longest = max(len(row) for row in rows)
        given: dict[str, Any] = {
            name: numpy.zeros((len(rows), longest), dtype=numpy.int32)
            for name in ("tokens", "mask", *(("kinds",) if kinds is not None else ()))
        }
        for number, row in enumerate(rows):
            given["tokens"][number, : len(row)] = row
            given["mask"][number, : len(row)] = 1
        for number, row in enumerate(kinds or ()):
            given["kinds"][number, : len(row)] = row
        return self._session.run(None, given)[0]


def _open(graph: bytes, threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    if threads is not None:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _make(folder: EncoderFolder, shape: BertShape, head: Head, precision: Precision) -> bytes:
    from safetensors import safe_open

    weights = {}
    with safe_open(str(folder.path / "model.safetensors"), framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118  (the file is no mapping)
            kind = file.get_slice(name).get_dtype()
            if kind == "BF16":
                raise ConfigError(
                    f"{name} is in bf16, which NumPy does not know",
                    where=str(folder.path / "model.safetensors"),
                    hint="Use runtime='torch', or save the weights as float32",
                )
            if kind in _SERIALIZED:
                weights[name.removeprefix("bert.")] = file.get_tensor(name).astype("float32")
    _check(weights, folder, shape, head)
    graph = build_graph(weights, shape, head=head, precision=precision)
    if len(graph) > _LARGEST_GRAPH:
        raise ConfigError(
            "the encoder is too large for one ONNX file", where=str(folder.path), hint="Use runtime='torch'"
        )
    return graph


def _check(weights: dict[str, Any], folder: EncoderFolder, shape: BertShape, head: Head) -> None:
    import numpy

    where = str(folder.path / "model.safetensors")
    for name, sizes in _wanted(shape, head).items():
        found = weights.get(name)
        if found is None:
            raise ConfigError(
                f"weights are missing, {name} among them", where=where, hint="Download the encoder anew"
            )
        if sizes != found.shape[-len(sizes) :] or len(sizes) != found.ndim:
            raise ConfigError(
                f"{name} has the shape {found.shape}, and config.json says {sizes}",
                where=where,
                hint="The files belong to different encoders: download it anew",
            )
        if not numpy.isfinite(found).all():
            raise ConfigError(
                f"{name} has values that are no numbers", where=where, hint="Download the encoder anew"
            )


def _wanted(shape: BertShape, head: Head) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the weights must have."""
    width, inner = shape.width, shape.inner
    wanted: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (shape.vocabulary, width),
        "embeddings.position_embeddings.weight": (shape.positions, width),
        "embeddings.token_type_embeddings.weight": (shape.kinds, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for layer in range(shape.layers):
        parts = {f"attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        parts |= {
            "attention.output.dense": (width, width),
            "intermediate.dense": (inner, width),
            "output.dense": (width, inner),
        }
        for part, sizes in parts.items():
            wanted[f"encoder.layer.{layer}.{part}.weight"] = sizes
            wanted[f"encoder.layer.{layer}.{part}.bias"] = sizes[:1]
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            for kind in ("weight", "bias"):
                wanted[f"encoder.layer.{layer}.{part}.{kind}"] = (width,)
    if head == "classifier":
        wanted |= {"pooler.dense.weight": (width, width), "pooler.dense.bias": (width,)}
        wanted |= {"classifier.weight": (1, width), "classifier.bias": (1,)}
    return wanted


def _checked(folder: EncoderFolder, work: Any) -> Any:
    outcome = call_alone(work)
    error = outcome.error
    if isinstance(error, ModuleNotFoundError):
        raise ConfigError(
            f"the module {error.name!r} is not installed", hint="pip install 'toolhaft-dense[onnx]'"
        ) from None
    if isinstance(error, Exception) and not isinstance(error, ToolhaftError):
        raise ConfigError(
            f"the encoder cannot be loaded: {clean(' '.join(str(error).split()), 300)}",
            where=str(folder.path),
            hint="Its files may be damaged: download it anew",
        )
    if error is not None:
        raise error
    return outcome.value
