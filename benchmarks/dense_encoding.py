"""Encoding: batches by tokens against fixed batches, whole numbers of 8 bits against exact ones."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from search_sets import load_set

from toolhaft_dense.batches import plan_batches
from toolhaft_dense.encoder import BATCH_TOKENS, Encoder, graph_cache
from toolhaft_dense.onnx_graph import build_graph
from toolhaft_dense.onnx_runtime import OnnxRuntime
from toolhaft_dense.texts import passage
from toolhaft_dense.weights import EncoderFolder, find_encoder

FIXED = 32
Encode = Callable[[list[str]], Any]


def compare(count: int, rounds: int) -> None:
    """Print texts a second, and the cosine to exact vectors, of every way to encode."""
    specs = load_set("toolbench").specs
    chosen = numpy.sort(numpy.random.default_rng(0).permutation(len(specs))[:count])
    texts = [passage(specs[row]) for row in chosen]
    folder = find_encoder(None)
    ways = engines(folder)
    lengths = [len(row) for row in _runtime(folder, "int8").tokenize(texts)]
    plan = plan_batches(lengths, BATCH_TOKENS)
    groups = [lengths[start : start + FIXED] for start in range(0, len(lengths), FIXED)]
    fixed = sum(len(group) * max(group) for group in groups)
    print(f"{len(texts)} texts of {plan.real / len(texts):.1f} tokens; best of {rounds} rounds, one thread")
    ratios = plan.computed / plan.real, fixed / plan.real
    print(f"computed/real tokens: by budget {ratios[0]:.3f}, in batches of {FIXED} {ratios[1]:.3f}")
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    vectors: dict[str, Any] = {}
    for encode in ways.values():
        encode(texts[:8])
    for _ in range(rounds):
        for name, encode in ways.items():
            wall, busy = time.perf_counter(), time.process_time()
            vectors[name] = encode(texts)
            seconds[name].append((time.perf_counter() - wall, time.process_time() - busy))
    exact = vectors["toolhaft fp32"]
    base = min(busy for _, busy in seconds[BARE])
    for name, taken in seconds.items():
        wall, busy = (min(values) for values in zip(*taken, strict=True))
        cosines = (vectors[name] * exact).sum(axis=1)
        print(
            f"{name:52} {len(texts) / wall:7.1f} texts/s  {len(texts) / busy:7.1f} of CPU time  "
            f"{base / busy:5.2f}x  cosine {cosines.mean():.4f} (least {cosines.min():.4f})"
        )
    _query_time(ways)


BARE = f"onnxruntime int8, batches of {FIXED}, same graph"


def engines(folder: EncoderFolder) -> dict[str, Encode]:
    """Return what is compared, by name."""
    int8, fp32 = _runtime(folder, "int8"), _runtime(folder, "fp32")
    ways: dict[str, Encode] = {
        "toolhaft int8": Encoder(folder, threads=1, cache=graph_cache()).encode,
        BARE: lambda texts: _fixed(int8, texts),
        f"onnxruntime int8, batches of {FIXED}, quantize_dynamic": _quantised(folder, fp32),
        "toolhaft fp32": Encoder(folder, threads=1, precision="fp32", cache=graph_cache()).encode,
    }
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError:
        print("sentence-transformers is not installed: left out")
        return ways
    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder.path), device="cpu")
    ways["sentence-transformers fp32"] = lambda texts: model.encode(
        texts, batch_size=FIXED, normalize_embeddings=True, show_progress_bar=False
    )
    return ways


def _runtime(folder: EncoderFolder, precision: Any) -> OnnxRuntime:
    shape = folder.shape()
    return OnnxRuntime(folder, shape, head="mean", precision=precision, threads=1, cache=graph_cache())


def _fixed(runtime: OnnxRuntime, texts: list[str]) -> Any:
    rows = runtime.tokenize(texts)
    return numpy.concatenate(
        [runtime.run(rows[start : start + FIXED]) for start in range(0, len(rows), FIXED)]
    )


def _quantised(folder: EncoderFolder, runtime: OnnxRuntime) -> Encode:
    """Return what onnxruntime's own quantiser makes of the exact graph, in fixed batches."""
    import onnxruntime
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from safetensors.numpy import load_file

    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "fp32.onnx", Path(place) / "int8.onnx"
        weights = load_file(folder.path / "model.safetensors")
        source.write_bytes(build_graph(weights, folder.shape(), head="mean", precision="fp32"))
        types = {"DefaultTensorType": TensorProto.FLOAT}  # it does not know the types of fused operators
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True, extra_options=types)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            target.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def encode(texts: list[str]) -> Any:
        rows = runtime.tokenize(texts)
        found = []
        for start in range(0, len(rows), FIXED):
            batch = rows[start : start + FIXED]
            tokens = numpy.zeros((len(batch), max(map(len, batch))), dtype=numpy.int32)
            mask = numpy.zeros_like(tokens)
            for number, row in enumerate(batch):
                tokens[number, : len(row)], mask[number, : len(row)] = row, 1
            found.append(session.run(None, {"tokens": tokens, "mask": mask})[0])
        return numpy.concatenate(found)

    return encode


def _query_time(ways: dict[str, Encode]) -> None:
    query = (
        "I am planning a trip to Paris next week and need the weather, a hotel near the Louvre, and trains."
    )
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(20):
        for name, encode in ways.items():
            started = time.perf_counter()
            encode([query])
            times[name].append(time.perf_counter() - started)
    shown = "; ".join(f"{name} {1_000 * numpy.median(taken):.1f} ms" for name, taken in times.items())
    print(f"one query, median of 20: {shown}")
