"""A fitted `WindowNetwork` as ONNX: the per-room head is an input, the shipped one its default."""

import logging
import warnings
from typing import Any

import onnx
import torch
from onnx import numpy_helper

from models.networks.backbone import WindowNetwork

OPSET = 18
IR_VERSION = 9
MOST_STREAMS = 256


def network_to_onnx(
    network: WindowNetwork, name: str, shape: tuple[int, ...], *, streams: int | None
) -> bytes:
    """The network as an ONNX file, the same bytes for the same weights.

    Args:
        network: fitted.
        name: of the graph.
        shape: of one stream's features.
        streams: how many there must be, None for any number.
    """
    network.eval()
    weight, bias = (value.detach().contiguous() for value in network.head())
    example = (torch.zeros(1, streams or 2, *shape), torch.ones(1, streams or 2), weight, bias)
    model = _exported(network, example, fixed=streams is not None)
    graph = model.graph
    graph.name, model.producer_name, model.ir_version = name, "roomtone", IR_VERSION
    graph.initializer.extend(
        numpy_helper.from_array(value.numpy(), label)
        for label, value in (("head_weight", weight), ("head_bias", bias))
    )
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, graph, model):
        part.doc_string = ""
        del part.metadata_props[:]  # stack traces of this machine
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _exported(network: WindowNetwork, example: tuple[torch.Tensor, ...], *, fixed: bool) -> Any:  # noqa: ANN401
    """What torch's exporter makes of it, less its remarks on torchvision and names of axes."""
    stream = torch.export.Dim("stream", min=1, max=MOST_STREAMS)
    shapes = {"features": {1: stream}, "mask": {1: stream}, "head_weight": None, "head_bias": None}
    quiet = logging.getLogger("torch.onnx")
    before = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                example,
                dynamo=True,
                input_names=["features", "mask", "head_weight", "head_bias"],
                output_names=["embedding", "logits"],
                dynamic_shapes=None if fixed else shapes,
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        quiet.setLevel(before)
    assert program is not None  # noqa: S101 - with dynamo there is one
    return program.model_proto
