"""Write a fitted network as ONNX: per-room heads are inputs, the shipped head their default."""

from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from models.networks.stream_set import LIMIT, StreamSet

OPSET = 17
IR_VERSION = 8


def to_onnx(network: StreamSet, name: str) -> bytes:
    """The network as an ONNX file, the same bytes for the same weights.

    Inputs, all float32: ``features`` ``[1, stream, feature]``, ``mask`` ``[1, stream]`` and, optional,
    ``head_weight`` ``[embedding, output]``, ``head_bias`` ``[output]``. Outputs: ``embedding``, ``logits``.
    """
    weights = _weights(network)
    outputs = weights["head_bias"].shape[0]
    features, embedding = "feature", weights["head_weight"].shape[0]
    head = [("head_weight", [embedding, outputs]), ("head_bias", [outputs])]
    graph = helper.make_graph(
        _nodes(),
        name,
        inputs=[
            _tensor("features", [1, "stream", features]),
            _tensor("mask", [1, "stream"]),
            *(_tensor(label, shape) for label, shape in head),
        ],
        outputs=[_tensor("embedding", [1, embedding]), _tensor("logits", [1, outputs])],
        initializer=[numpy_helper.from_array(value, label) for label, value in weights.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="roomtone", ir_version=IR_VERSION
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _weights(network: StreamSet) -> dict[str, np.ndarray[Any, Any]]:
    layers = (network.per_stream[0], network.per_stream[2], network.pooled[1])
    first, second, third = (cast("nn.Linear", layer) for layer in layers)
    head_weight, head_bias = network.head()
    tensors = {
        "mean": network.mean,
        "scale": network.scale,
        "weight_1": first.weight.T,
        "bias_1": first.bias,
        "weight_2": second.weight.T,
        "bias_2": second.bias,
        "weight_3": third.weight.T,
        "bias_3": third.bias,
        "head_weight": head_weight,
        "head_bias": head_bias,
    }
    numbers = {name: np.ascontiguousarray(value.detach().numpy()) for name, value in tensors.items()}
    constants = {
        "columns": network.columns.detach().numpy(),
        "low": np.float32(-LIMIT),
        "high": np.float32(LIMIT),
        "one": np.float32(1),
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
    }
    return numbers | {name: np.asarray(value) for name, value in constants.items()}


def _nodes() -> list[onnx.NodeProto]:
    steps = [
        ("Gather", ["features", "columns"], "chosen", {"axis": 2}),
        ("Sub", ["chosen", "mean"], "centred", {}),
        ("Div", ["centred", "scale"], "standard", {}),
        ("Clip", ["standard", "low", "high"], "scaled", {}),
        *_dense("scaled", 1, "stream_1"),
        *_dense("stream_1", 2, "stream_2"),
        ("Unsqueeze", ["mask", "axis_2"], "weight", {}),
        ("Mul", ["stream_2", "weight"], "measured", {}),
        ("ReduceSum", ["measured", "axis_1"], "total", {"keepdims": 0}),
        ("ReduceSum", ["weight", "axis_1"], "streams", {"keepdims": 0}),
        ("Max", ["streams", "one"], "at_least_one", {}),
        ("Div", ["total", "at_least_one"], "mean_stream", {}),
        *_dense("mean_stream", 3, "embedding"),
        ("MatMul", ["embedding", "head_weight"], "turned", {}),
        ("Add", ["turned", "head_bias"], "logits", {}),
    ]
    return [
        helper.make_node(kind, inputs, [output], None, None, None, None, **more)
        for kind, inputs, output, more in steps
    ]


def _dense(source: str, layer: int, output: str) -> list[tuple[str, list[str], str, dict[str, int]]]:
    return [
        ("MatMul", [source, f"weight_{layer}"], f"product_{layer}", {}),
        ("Add", [f"product_{layer}", f"bias_{layer}"], f"sum_{layer}", {}),
        ("Relu", [f"sum_{layer}"], output, {}),
    ]


def _tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
