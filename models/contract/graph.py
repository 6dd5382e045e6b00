"""What can be told of an ONNX file without running it: size, opsets, data, names, types, shapes."""

import re
from collections.abc import Iterator

import onnx
from onnx import TensorProto

from models.signal.grid import SUBCARRIERS
from models.signal.inputs import AMPLITUDE, BANDS, PROFILE, TIME_BINS
from models.signal.variation import NAMES
from models.signal.variation import VERSION as VARIATION
from models.zoo import LOCAL, Card

LARGEST_BYTES = 16 * 1024 * 1024
OPSETS = {"": (13, 22), "ai.onnx.ml": (1, 5)}
"""Domains whose operators may be used, lowest and highest opset each."""
SHAPES = {VARIATION: (len(NAMES),), PROFILE: (SUBCARRIERS,), AMPLITUDE: (BANDS, TIME_BINS)}
"""Input a card may name -> shape of one stream in it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Shape = tuple[int | str, ...]


class BrokenContractError(ValueError):
    """The file or its card breaks a rule; the message says which and what to do."""


def read_graph(data: bytes) -> onnx.ModelProto:
    """The model in these bytes.

    Raises:
        BrokenContractError: too large, no ONNX, or it does not pass ONNX's own checker.
    """
    if len(data) > LARGEST_BYTES:
        raise BrokenContractError(f"file of {len(data)} bytes: at most {LARGEST_BYTES} are taken")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:
        raise BrokenContractError(f"the file is no ONNX model: {error}") from error
    _no_external_data(model)
    _opsets(model)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise BrokenContractError(f"ONNX's own checker refuses the file: {error}") from error
    return model


def _no_external_data(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            raise BrokenContractError(
                f"initializer {tensor.name!r} is in another file: save the model as one file"
            )


def _opsets(model: onnx.ModelProto) -> None:
    used = {one.domain: one.version for one in model.opset_import}
    for domain, version in used.items():
        name = domain or "ai.onnx"
        if domain not in OPSETS:
            raise BrokenContractError(f"operators of domain {name!r}: only ai.onnx and ai.onnx.ml are run")
        low, high = OPSETS[domain]
        if not low <= version <= high:
            raise BrokenContractError(f"opset {version} of {name}: use {low} to {high}")
    if model.functions:
        raise BrokenContractError(f"functions of its own ({model.functions[0].name}): inline them")
    for node in _nodes(model.graph):
        if node.domain not in OPSETS:
            raise BrokenContractError(f"operator {node.domain}.{node.op_type} is no standard operator")


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def check_card(card: Card) -> None:
    """See that the card says what the worker needs.

    Raises:
        BrokenContractError: a field does not fit.
    """
    if not _NAME.fullmatch(card.name):
        raise BrokenContractError(f"card: name {card.name!r} must be letters, digits, '.', '_' and '-'")
    if card.shelf != LOCAL:
        raise BrokenContractError(f"card: shelf must be {LOCAL!r}, not {card.shelf!r}")
    if card.features not in SHAPES:
        raise BrokenContractError(f"card: features {card.features!r} is none of {', '.join(SHAPES)}")
    if bool(card.classes) == (card.output == "metres"):
        raise BrokenContractError(f"card: output {card.output!r} with classes {list(card.classes)}")
    if not card.nics:
        raise BrokenContractError("card: nics is empty: it would speak for no card")
    needed = ["sigma_m"] if card.output == "metres" else ["temperature"]
    for key in needed + (["interval_width"] if card.task == "counting" else []):
        if not isinstance(card.calibration.get(key), int | float):
            raise BrokenContractError(f"card: calibration.{key} must be a number")


def check_names(model: onnx.ModelProto, card: Card) -> dict[str, Shape]:
    """Shapes of inputs and outputs by name, after all of them were found right.

    Raises:
        BrokenContractError: a name, type or shape is not as the contract has it.
    """
    graph = model.graph
    inputs = {one.name: _shape(one) for one in graph.input}
    outputs = {one.name: _shape(one) for one in graph.output}
    defaults = {one.name for one in graph.initializer}
    for name in ("features", "mask"):
        if name not in inputs:
            raise BrokenContractError(f"input {name!r} is missing; there are {', '.join(inputs)}")
    for name in inputs:
        if name not in {"features", "mask", "head_weight", "head_bias"}:
            raise BrokenContractError(f"input {name!r} is none of the contract's: nothing would feed it")
        if name.startswith("head_") and name not in defaults:
            raise BrokenContractError(f"input {name!r} needs an initializer of that name: the shipped head")
    if set(outputs) != {"embedding", "logits"}:
        raise BrokenContractError(f"outputs are {', '.join(outputs)}; they must be embedding and logits")
    _features(inputs, card)
    _logits(outputs, card)
    return inputs | outputs


def _features(inputs: dict[str, Shape], card: Card) -> None:
    inner = SHAPES[card.features]
    shape, mask = inputs["features"], inputs["mask"]
    if len(shape) != 2 + len(inner) or shape[0] != 1 or shape[2:] != inner:
        raise BrokenContractError(
            f"features is {shape}; {card.features} is (1, streams, {', '.join(map(str, inner))})"
        )
    if len(mask) != 2 or mask[0] != 1:
        raise BrokenContractError(f"mask is {mask}; it must be (1, streams)")


def _logits(outputs: dict[str, Shape], card: Card) -> None:
    classes = len(card.classes)
    wanted = {"ordinal": classes - 1, "softmax": classes, "metres": 2}[card.output]
    if outputs["logits"] != (1, wanted):
        raise BrokenContractError(
            f"logits is {outputs['logits']}; output {card.output!r} of {classes} classes is (1, {wanted})"
        )
    if len(outputs["embedding"]) != 2 or outputs["embedding"][0] != 1:
        raise BrokenContractError(f"embedding is {outputs['embedding']}; it must be (1, width)")


def _shape(value: onnx.ValueInfoProto) -> Shape:
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT:
        raise BrokenContractError(f"{value.name} must be float32")
    return tuple(one.dim_value or one.dim_param or "?" for one in kind.shape.dim)
