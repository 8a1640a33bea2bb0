"""A BERT encoder as an ONNX graph, made from its numbers: no torch, no exporter.

The operators are those that onnxruntime itself puts in place of exported ones (``com.microsoft``), so that a
session has nothing left to fuse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from toolhaft_dense.bert_shape import BertShape
from toolhaft_dense.onnx_matrices import Precision, product_of, rows_of

Head = Literal["mean", "first", "classifier"]
_FUSED = "com.microsoft"
_OPERATORS = 20
_INTERMEDIATE = 10


class _Graph:
    """Nodes and numbers as they are added."""

    def __init__(self, precision: Precision) -> None:
        self.nodes: list[Any] = []
        self.numbers: list[Any] = []
        self.precision = precision

    def number(self, name: str, value: Any) -> str:
        """Add an array and return its name."""
        import numpy
        from onnx import numpy_helper

        self.numbers.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **settings: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **settings))
        return output

    def linear(self, source: str, name: str, weight: Any, bias: Any) -> str:
        """Add a product with a matrix and the addition of a bias.

        Args:
            source: What is multiplied, shape (..., columns).
            name: Of the output.
            weight: float32, shape (rows, columns), as torch keeps it.
            bias: float32, shape (rows,).
        """
        kind, domain, arrays = product_of(weight, bias, self.precision)
        given = [source, *(self.number(f"{name}.{key}", value) for key, value in arrays)]
        if self.precision == "int8":
            return self.node(kind, given, name, domain)
        product = self.node(kind, given, f"{name}.product", domain)
        return self.node("Add", [product, self.number(f"{name}.bias", bias)], name)

    def look_up(self, name: str, table: Any, rows: str) -> str:
        """Add a table and the rows of it that are asked for."""
        if self.precision == "fp32":
            return self.node("Gather", [self.number(f"{name}.table", table), rows], name)
        from onnx import TensorProto

        whole, scale = rows_of(table)
        found = self.node("Gather", [self.number(f"{name}.table", whole), rows], f"{name}.rows")
        real = self.node("Cast", [found], f"{name}.real", to=TensorProto.FLOAT)
        scales = self.node("Gather", [self.number(f"{name}.scales", scale), rows], f"{name}.scale")
        return self.node("Mul", [real, scales], name)


def build_graph(weights: Mapping[str, Any], shape: BertShape, *, head: Head, precision: Precision) -> bytes:
    """Return a model of the ONNX format.

    Its inputs are ``tokens`` and ``mask`` (1 where there is a token), int32, shape (texts, length), and for
    a classifier ``kinds`` (the part of a pair). Its output is ``vectors``, float32: one vector of length 1 a
    text, shape (texts, width); or for a classifier ``scores``, shape (texts, labels), as they come.

    Args:
        weights: float32 arrays by the names that transformers gives them, without a prefix ``bert.``; a
            classifier's are ``pooler.dense`` and ``classifier``.
        shape: What they are to fit.
        head: What becomes of the tokens' vectors.
        precision: Of the large matrices.

    Raises:
        KeyError: A weight is missing.

    Source: J. Devlin et al., "BERT", NAACL 2019; the heads: N. Reimers, I. Gurevych, "Sentence-BERT",
    EMNLP 2019, section 3, and R. Nogueira, K. Cho, "Passage re-ranking with BERT", 2019.
    """
    graph = _Graph(precision)
    hidden = _embed(graph, weights, shape, with_kinds=head == "classifier")
    for layer in range(shape.layers):
        hidden = _layer(graph, weights, shape, hidden, layer)
    output = _classify(graph, weights, hidden) if head == "classifier" else _pool(graph, hidden, head)
    return _finish(graph, output, head)


def _embed(graph: _Graph, weights: Mapping[str, Any], shape: BertShape, *, with_kinds: bool) -> str:
    kinds = weights["embeddings.token_type_embeddings.weight"]
    positions = weights["embeddings.position_embeddings.weight"]
    looked_up = graph.look_up("words", weights["embeddings.word_embeddings.weight"], "tokens")
    graph.number("from", _whole([0]))
    graph.number("step", _whole([1]))
    # Without pairs all tokens are of the first kind, which the table of positions can carry.
    table = graph.number("positions", positions if with_kinds else positions + kinds[0])
    graph.node("Shape", ["tokens"], "length", start=1, end=2)
    placed = graph.node("Slice", [table, "from", "length", "from", "step"], "placed")
    total = graph.node("Add", [looked_up, placed], "summed")
    if with_kinds:
        told = graph.node("Gather", [graph.number("kind_table", kinds), "kinds"], "told")
        total = graph.node("Add", [total, told], "summed_with_kinds")
    scale = graph.number("embedded.scale", weights["embeddings.LayerNorm.weight"])
    shift = graph.number("embedded.shift", weights["embeddings.LayerNorm.bias"])
    return graph.node("LayerNormalization", [total, scale, shift], "embedded", epsilon=shape.epsilon, axis=-1)


def _layer(graph: _Graph, weights: Mapping[str, Any], shape: BertShape, hidden: str, layer: int) -> str:
    import numpy

    def of(part: str) -> tuple[Any, Any]:
        prefix = f"encoder.layer.{layer}.{part}"
        return weights[f"{prefix}.weight"], weights[f"{prefix}.bias"]

    name = f"layer{layer}"
    parts = [of(f"attention.self.{part}") for part in ("query", "key", "value")]
    joined = graph.linear(
        hidden,
        f"{name}.joined",
        numpy.concatenate([weight for weight, _ in parts]),
        numpy.concatenate([bias for _, bias in parts]),
    )
    from onnx import helper

    three = [f"{name}.{part}" for part in ("query", "key", "value")]
    graph.nodes.append(
        helper.make_node("Split", [joined], three, name=f"{name}.split", axis=-1, num_outputs=3)
    )
    attended = graph.node(
        "MultiHeadAttention",
        [*three, "", "mask"],
        f"{name}.attended",
        _FUSED,
        num_heads=shape.heads,
        scale=1 / math.sqrt(shape.width / shape.heads),
    )
    back = graph.linear(attended, f"{name}.back", *of("attention.output.dense"))
    first = _add_and_norm(graph, f"{name}.first", [back, hidden], of("attention.output.LayerNorm"), shape)
    wide = _activate(graph, graph.linear(first, f"{name}.wide", *of("intermediate.dense")), shape)
    narrow = graph.linear(wide, f"{name}.narrow", *of("output.dense"))
    return _add_and_norm(graph, f"{name}.second", [narrow, first], of("output.LayerNorm"), shape)


def _add_and_norm(
    graph: _Graph, name: str, summands: list[str], norm: tuple[Any, Any], shape: BertShape
) -> str:
    scale, shift = graph.number(f"{name}.scale", norm[0]), graph.number(f"{name}.shift", norm[1])
    return graph.node(
        "SkipLayerNormalization", [*summands, scale, shift], name, _FUSED, epsilon=shape.epsilon
    )


def _activate(graph: _Graph, source: str, shape: BertShape) -> str:
    name = f"{source}.activated"
    if shape.activation == "relu":
        return graph.node("Relu", [source], name)
    return graph.node("Gelu" if shape.activation == "gelu" else "FastGelu", [source], name, _FUSED)


def _pool(graph: _Graph, hidden: str, head: Head) -> str:
    graph.number("sequence", _whole([1]))
    if head == "first":
        pooled = graph.node("Squeeze", [_first_token(graph, hidden), "sequence"], "pooled")
    else:
        from onnx import TensorProto

        graph.number("last", _whole([2]))
        graph.node("Cast", ["mask"], "real", to=TensorProto.FLOAT)
        column = graph.node("Unsqueeze", ["real", "last"], "column")
        masked = graph.node("Mul", [hidden, column], "masked")
        # The sum will do in place of the mean: what follows makes every vector one of length 1.
        pooled = graph.node("ReduceSum", [masked, "sequence"], "pooled", keepdims=0)
    return graph.node("LpNormalization", [pooled], "vectors", axis=1, p=2)


def _classify(graph: _Graph, weights: Mapping[str, Any], hidden: str) -> str:
    graph.number("sequence", _whole([1]))
    first = graph.node("Squeeze", [_first_token(graph, hidden), "sequence"], "first")
    name = "pooler.dense"
    dense = graph.linear(first, "dense", weights[f"{name}.weight"], weights[f"{name}.bias"])
    bent = graph.node("Tanh", [dense], "bent")
    weight = graph.number("classifier.weight", weights["classifier.weight"])
    bias = graph.number("classifier.bias", weights["classifier.bias"])
    return graph.node("Gemm", [bent, weight, bias], "scores", transB=1)


def _first_token(graph: _Graph, hidden: str) -> str:
    graph.number("one", _whole([1]))
    return graph.node("Slice", [hidden, "from", "one", "one"], "first_token")


def _finish(graph: _Graph, output: str, head: Head) -> bytes:
    from onnx import TensorProto, helper

    names = ("tokens", "mask", "kinds") if head == "classifier" else ("tokens", "mask")
    made = helper.make_graph(
        graph.nodes,
        "bert",
        [helper.make_tensor_value_info(name, TensorProto.INT32, ["texts", "length"]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["texts", "numbers"])],
        graph.numbers,
    )
    operators = [helper.make_opsetid("", _OPERATORS), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(made, opset_imports=operators, producer_name="toolhaft-dense")
    model.ir_version = _INTERMEDIATE
    content: bytes = model.SerializeToString()
    return content


def _whole(values: list[int]) -> Any:
    import numpy

    return numpy.array(values, dtype=numpy.int64)
