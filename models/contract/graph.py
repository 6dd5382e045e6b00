"""What can be told of an ONNX file without running it: size, opsets, data, names, types, shapes."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import onnx
from onnx import TensorProto

from models.contract.limits import LARGEST_BYTES, NAME
from models.signal.inputs import SHAPES
from models.zoo import LOCAL, Card

OPSETS = {"": (13, 22), "ai.onnx.ml": (1, 5)}
"""Domains whose operators may be used, lowest and highest opset each."""

Shape = tuple[int | str, ...]


class BrokenContractError(ValueError):
    """The file or its card breaks rules; `rules` say each which, and what to do."""

    def __init__(self, *rules: str) -> None:
        super().__init__("; ".join(rules))
        self.rules = rules


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
    _refuse([*_external_data(model), *_opsets(model), *_functions(model), *_operators(model)])
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise BrokenContractError(f"ONNX's own checker refuses the file: {error}") from error
    return model


def _refuse(broken: Sequence[str]) -> None:
    if broken:
        raise BrokenContractError(*broken)


def _external_data(model: onnx.ModelProto) -> Iterator[str]:
    for tensor in _tensors(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            yield f"tensor {tensor.name!r} is in another file: save the model as one file"


def _opsets(model: onnx.ModelProto) -> Iterator[str]:
    for one in model.opset_import:
        name = one.domain or "ai.onnx"
        if one.domain not in OPSETS:
            yield f"operators of domain {name!r}: only ai.onnx and ai.onnx.ml are run"
            continue
        low, high = OPSETS[one.domain]
        if not low <= one.version <= high:
            yield f"opset {one.version} of {name}: use {low} to {high}"


def _functions(model: onnx.ModelProto) -> Iterator[str]:
    if model.functions:
        yield f"functions of its own ({model.functions[0].name}): inline them"


def _operators(model: onnx.ModelProto) -> Iterator[str]:
    strange = {f"{one.domain}.{one.op_type}" for one in _nodes(model.graph) if one.domain not in OPSETS}
    for name in sorted(strange):
        yield f"operator {name} is no standard operator"


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor with data of its own, those of inner graphs too."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def check_card(card: Card) -> None:
    """See that the card says what the worker needs.

    Raises:
        BrokenContractError: fields do not fit.
    """
    _refuse(list(_card_rules(card)))


def _card_rules(card: Card) -> Iterator[str]:
    if not NAME.fullmatch(card.name):
        yield f"card: name {card.name!r} must be letters, digits, '.', '_' and '-'"
    if card.shelf != LOCAL:
        yield f"card: shelf must be {LOCAL!r}, not {card.shelf!r}"
    if card.features not in SHAPES:
        yield f"card: features {card.features!r} is none of {', '.join(SHAPES)}"
    if bool(card.classes) == (card.output == "metres"):
        yield f"card: output {card.output!r} with classes {list(card.classes)}"
    if not card.nics:
        yield "card: nics is empty: it would speak for no card"
    needed = ["sigma_m"] if card.output == "metres" else ["temperature"]
    for key in needed + (["interval_width"] if card.task == "counting" else []):
        if not isinstance(card.calibration.get(key), int | float):
            yield f"card: calibration.{key} must be a number"


def check_names(model: onnx.ModelProto, card: Card) -> dict[str, Shape]:
    """Shapes of inputs and outputs by name, after all of them were found right.

    Raises:
        BrokenContractError: names, types or shapes are not as the contract has them.
    """
    graph = model.graph
    inputs = {one.name: _shape(one) for one in graph.input}
    outputs = {one.name: _shape(one) for one in graph.output}
    strange = [one.name for one in (*graph.input, *graph.output) if not _is_float(one)]
    _refuse(
        [
            *(f"{name} must be float32" for name in strange),
            *_input_names(inputs, {one.name for one in graph.initializer}),
            *_output_names(outputs),
            *_features(inputs, card),
            *_logits(outputs, card),
        ]
    )
    return inputs | outputs


def _input_names(inputs: Mapping[str, Shape], defaults: AbstractSet[str]) -> Iterator[str]:
    for name in ("features", "mask"):
        if name not in inputs:
            yield f"input {name!r} is missing; there are {', '.join(inputs)}"
    for name in inputs:
        if name not in {"features", "mask", "head_weight", "head_bias"}:
            yield f"input {name!r} is none of the contract's: nothing would feed it"
        elif name.startswith("head_") and name not in defaults:
            yield f"input {name!r} needs an initializer of that name: the shipped head"


def _output_names(outputs: Mapping[str, Shape]) -> Iterator[str]:
    if set(outputs) != {"embedding", "logits"}:
        yield f"outputs are {', '.join(outputs)}; they must be embedding and logits"


def _features(inputs: Mapping[str, Shape], card: Card) -> Iterator[str]:
    inner = SHAPES.get(card.features)
    shape, mask = inputs.get("features"), inputs.get("mask")
    if inner and shape and not (shape[0] == 1 and _open_to(shape[2:], inner)):
        yield f"features is {shape}; {card.features} is (1, streams, {', '.join(map(str, inner))})"
    if mask and (len(mask) != 2 or mask[0] != 1):
        yield f"mask is {mask}; it must be (1, streams)"


def _open_to(shape: Shape, fed: Shape) -> bool:
    """Whether a tensor of this shape can be fed: a name stands for any number."""
    return len(shape) == len(fed) and all(
        isinstance(one, str) or one == due for one, due in zip(shape, fed, strict=True)
    )


def _logits(outputs: Mapping[str, Shape], card: Card) -> Iterator[str]:
    classes = len(card.classes)
    wanted = {"ordinal": classes - 1, "softmax": classes, "metres": 2}[card.output]
    logits, embedding = outputs.get("logits"), outputs.get("embedding")
    if logits is not None and logits != (1, wanted):
        yield f"logits is {logits}; output {card.output!r} of {classes} classes is (1, {wanted})"
    if embedding is not None and (len(embedding) != 2 or embedding[0] != 1):
        yield f"embedding is {embedding}; it must be (1, width)"


def _is_float(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.elem_type == TensorProto.FLOAT)


def _shape(value: onnx.ValueInfoProto) -> Shape:
    return tuple(one.dim_value or one.dim_param or "?" for one in value.type.tensor_type.shape.dim)
