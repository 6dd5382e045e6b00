"""Two clusters as ONNX with the worker's inputs and outputs (docs/onnx-contract.md).

features [1, stream, 30], mask [1, stream] -> measured streams less their mean, side by side, on
principal axes -> squared distances to both centres -> -ln(1 + distance) (`embedding`) -> head -> logits
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.learners.gate.clusters import Clusters, Floats
from models.signal.grid import SUBCARRIERS

OPSET = 17
IR_VERSION = 8

_NODES: tuple[tuple[str, list[str], str], ...] = (
    ("Unsqueeze", ["mask", "axis_2"], "weight"),
    ("Mul", ["features", "weight"], "measured"),
    ("ReduceSum", ["measured", "axis_1"], "total"),  # [1, 1, subcarrier]
    ("ReduceSum", ["weight", "axis_1"], "streams"),
    ("Max", ["streams", "one"], "at_least_one"),
    ("Div", ["total", "at_least_one"], "shared"),
    ("Sub", ["measured", "shared"], "between"),
    ("Mul", ["between", "weight"], "kept"),
    ("Reshape", ["kept", "flat"], "row"),  # [1, 1, feature]
    ("Sub", ["row", "mean"], "moved"),
    ("Div", ["moved", "scale"], "standard"),
    ("MatMul", ["standard", "axes"], "on_axes"),
    ("Sub", ["on_axes", "centres"], "gaps"),  # [1, 2, axis]
    ("Mul", ["gaps", "gaps"], "squares"),
    ("ReduceSum", ["squares", "axis_2"], "distances"),  # [1, 2, 1]
    ("Div", ["distances", "spread"], "relative"),
    ("Add", ["relative", "one"], "shifted"),
    ("Log", ["shifted"], "far"),
    ("Neg", ["far"], "near"),
    ("Squeeze", ["near", "axis_2"], "embedding"),
    ("MatMul", ["embedding", "head_weight"], "turned"),
    ("Add", ["turned", "head_bias"], "logits"),
)


def to_onnx(clusters: Clusters, weight: Floats, name: str) -> bytes:
    """The file, the same bytes for the same clusters.

    Args:
        clusters: fitted.
        weight: what the embedding is multiplied with, ``[2, class]``.
        name: of the graph.
    """
    values = _values(clusters, weight)
    outputs, streams = weight.shape[1], len(clusters.mean) // SUBCARRIERS
    shapes: dict[str, list[Any]] = {
        "features": [1, streams, SUBCARRIERS],
        "mask": [1, streams],
        "head_weight": [2, outputs],
        "head_bias": [outputs],
    }
    graph = helper.make_graph(
        [_node(*one) for one in _NODES],
        name,
        [_tensor(key, shape) for key, shape in shapes.items()],
        [_tensor("embedding", [1, 2]), _tensor("logits", [1, outputs])],
        [numpy_helper.from_array(value, key) for key, value in values.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="roomtone", ir_version=IR_VERSION
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _values(clusters: Clusters, weight: Floats) -> dict[str, Any]:
    numbers = {
        "mean": clusters.mean,
        "scale": clusters.scale,
        "axes": clusters.axes,
        "centres": clusters.centres,
        "spread": clusters.spread,
        "one": 1.0,
        "head_weight": weight,
        "head_bias": np.zeros(weight.shape[1]),
    }
    floats = {key: np.asarray(value, np.float32) for key, value in numbers.items()}
    places = {"flat": np.array([1, 1, len(clusters.mean)]), "axis_1": np.array([1]), "axis_2": np.array([2])}
    return floats | {key: value.astype(np.int64) for key, value in places.items()}


def _node(kind: str, inputs: list[str], output: str) -> onnx.NodeProto:
    more = {"keepdims": 1} if kind == "ReduceSum" else {}
    return helper.make_node(kind, inputs, [output], None, None, None, None, **more)


def _tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
