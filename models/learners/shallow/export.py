"""A shallow pipeline as ONNX with the worker's inputs and outputs (docs/onnx-contract.md).

features [1, stream, ...], mask [1, stream] -> pooled or side by side (`embedding`)
-> non-negative factors, where there are -> the pipeline's own graph (skl2onnx) -> logits
"""

import warnings
from typing import Any

import numpy as np
import onnx
import skl2onnx
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from models.learners.shallow.factors import STEPS, TINY, Factors
from models.signal.grid import SUBCARRIERS
from models.signal.inputs import PROFILE

OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8
LEAST = 1e-3
"""Least probability of a class: five neighbours that all say one thing are not certain."""
SHUT = -10.0
"""Logit of a class that the training rows lacked."""

Node = tuple[str, list[str], str]
_OPTIONS = {"ReduceSum": {"keepdims": 0}}


def to_onnx(pipeline: Pipeline, name: str, features: str, width: int, classes: int, *, pooled: bool) -> bytes:
    """The file; `width` is the number of features of a row, `classes` 0 where it answers metres."""
    front = _front(features, width, pooled=pooled)
    steps = list(pipeline.steps)
    if isinstance(steps[0][1], Factors):
        front, width = _joined(front, _factors(steps[0][1]), "row", "above"), len(steps[0][1].parts_)
        steps = steps[1:]
        row = "weights"
    else:
        row = "row"
    back = _pipeline(Pipeline(steps), width)
    whole = _joined(front, back, row, back.graph.input[0].name)
    whole = _answered(whole, pipeline, classes)
    whole.graph.name, whole.producer_name = name, "roomtone"
    onnx.checker.check_model(whole, full_check=True)
    return bytes(whole.SerializeToString(deterministic=True))


def _front(features: str, width: int, *, pooled: bool) -> onnx.ModelProto:
    """Streams averaged under the mask, or side by side with zeros where one is not measured."""
    inner: list[Any] = [SUBCARRIERS] if features == PROFILE else [width]
    numbers = {
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "one": np.float32(1),
        "flat": np.array([1, width]),
    }
    nodes: list[Node] = [
        ("Unsqueeze", ["mask", "axis_2"], "weight"),
        ("Mul", ["features", "weight"], "measured"),
    ]
    if pooled:
        nodes += [
            ("ReduceSum", ["measured", "axis_1"], "total"),
            ("ReduceSum", ["weight", "axis_1"], "streams"),
            ("Max", ["streams", "one"], "at_least_one"),
            ("Div", ["total", "at_least_one"], "mean"),
            ("Reshape", ["mean", "flat"], "row"),
        ]
    else:
        nodes.append(("Reshape", ["measured", "flat"], "row"))
    nodes.append(("Identity", ["row"], "embedding"))
    streams: Any = "stream" if pooled else width // inner[0]
    inputs = [("features", [1, streams, *inner]), ("mask", [1, streams])]
    return _model(nodes, inputs, [("row", [1, width]), ("embedding", [1, width])], numbers)


def _factors(step: Factors) -> onnx.ModelProto:
    """The updates of `Factors.transform`, one behind the other."""
    gram = step.parts_ @ step.parts_.T
    numbers = {
        "low": step.low_.astype(np.float32),
        "zero": np.float32(0),
        "turned": step.parts_.T.astype(np.float32),
        "gram": gram.astype(np.float32),
        "tiny": np.float32(TINY),
        "weights_0": np.ones((1, len(gram)), np.float32),
    }
    nodes: list[Node] = [
        ("Sub", ["above", "low"], "shifted"),
        ("Max", ["shifted", "zero"], "positive"),
        ("MatMul", ["positive", "turned"], "asked"),
    ]
    for turn in range(STEPS):
        out = "weights" if turn == STEPS - 1 else f"weights_{turn + 1}"
        nodes += [
            ("Mul", [f"weights_{turn}", "asked"], f"scaled_{turn}"),
            ("MatMul", [f"weights_{turn}", "gram"], f"seen_{turn}"),
            ("Add", [f"seen_{turn}", "tiny"], f"safe_{turn}"),
            ("Div", [f"scaled_{turn}", f"safe_{turn}"], out),
        ]
    return _model(nodes, [("above", [1, len(step.low_)])], [("weights", [1, len(gram)])], numbers)


def _pipeline(pipeline: Pipeline, width: int) -> onnx.ModelProto:
    """What skl2onnx makes of the fitted steps; scores as they are, no map of classes."""
    head = pipeline.named_steps["head"]
    options: dict[str, Any] = {"zipmap": False} if hasattr(head, "classes_") else {}
    if hasattr(head, "decision_function"):
        options["raw_scores"] = True
    with warnings.catch_warnings():  # it still looks at an attribute that scikit-learn is about to drop
        warnings.filterwarnings("ignore", "Attribute `prob[AB]_` was deprecated", FutureWarning)
        model = skl2onnx.to_onnx(
            pipeline,
            initial_types=[("x", FloatTensorType([1, width]))],
            target_opset=OPSETS,
            options={id(head): options} if options else None,
        )
    return _stamped(compose.add_prefix(model, "pipeline_"))


def _answered(model: onnx.ModelProto, pipeline: Pipeline, classes: int) -> onnx.ModelProto:
    """The pipeline's scores as `logits`, its other outputs dropped."""
    head = pipeline.named_steps["head"]
    outputs = [one.name for one in model.graph.output if one.name != "embedding"]
    if not classes:
        tail: list[Node] = [("Identity", [outputs[0]], "logits")]
        numbers: dict[str, Any] = {}
    else:
        place = np.full((len(head.classes_), classes), 0.0, np.float32)
        place[np.arange(len(head.classes_)), head.classes_] = 1
        numbers = {"place": place, "shut": np.where(place.any(axis=0), 0, SHUT).astype(np.float32)}
        tail = [("MatMul", ["scores", "place"], "placed"), ("Add", ["placed", "shut"], "logits")]
        if hasattr(head, "decision_function"):
            tail.insert(0, ("Identity", [outputs[1]], "scores"))
        else:
            numbers["least"] = np.float32(LEAST)
            tail[:0] = [("Max", [outputs[1], "least"], "safe"), ("Log", ["safe"], "scores")]
    graph = model.graph
    graph.node.extend(helper.make_node(kind, inputs, [out]) for kind, inputs, out in tail)
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), key) for key, value in numbers.items()
    )
    embedding = next(one for one in graph.output if one.name == "embedding")
    del graph.output[:]
    graph.output.extend([embedding, _tensor("logits", [1, classes or 2])])
    return model


def _joined(first: onnx.ModelProto, second: onnx.ModelProto, out: str, into: str) -> onnx.ModelProto:
    """The second graph behind the first; `embedding` stays an output."""
    kept = [one.name for one in second.graph.output] + ["embedding"]
    return _stamped(compose.merge_models(first, second, io_map=[(out, into)], outputs=kept))


def _model(
    nodes: list[Node],
    inputs: list[tuple[str, list[Any]]],
    outputs: list[tuple[str, list[Any]]],
    numbers: Any,  # noqa: ANN401
) -> onnx.ModelProto:
    graph = helper.make_graph(
        [
            helper.make_node(kind, names, [out], None, None, None, None, **_OPTIONS.get(kind, {}))
            for kind, names, out in nodes
        ],
        "part",
        [_tensor(name, shape) for name, shape in inputs],
        [_tensor(name, shape) for name, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _stamped(model: onnx.ModelProto) -> onnx.ModelProto:
    """All parts with the same versions, so that they join."""
    model.ir_version = IR_VERSION
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in OPSETS.items())
    return model


def _tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
