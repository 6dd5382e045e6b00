"""Shipped models rebuilt in torch from the weights inside their files, by the names of the parameters."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from models.learners import learner
from models.learners.neural import NeuralLearner
from models.networks.backbone import WindowNetwork
from models.networks.stream_set import StreamSet
from models.runtime import Backbone
from models.signal.inputs import INPUTS
from models.signal.view import View
from models.signal.window import Window
from models.training.zoo import SHIPPED
from models.zoo import ShelvedModel

STREAMS = 6
"""Of the windows that twins are compared on: three antennas, two streams."""
LEARNERS = {one.name: one.learner for one in SHIPPED}
_LAYERS = {"per_stream.0": "1", "per_stream.2": "2", "pooled.1": "3"}

Weights = dict[str, torch.Tensor]


def twin(model: ShelvedModel) -> StreamSet | WindowNetwork:
    """The network of the learner that made the model, with the file's weights; none may be left over."""
    tensors = onnx.load_from_string(model.onnx).graph.initializer
    weights = {one.name: torch.tensor(numpy_helper.to_array(one)) for one in tensors}
    made = learner(LEARNERS[model.card.name])
    if isinstance(made, NeuralLearner):
        return _window_network(made, weights)
    return _stream_set(weights, len(model.card.classes))


def _window_network(made: NeuralLearner, weights: Weights) -> WindowNetwork:
    network = made.network(STREAMS, len(weights["head_bias"]))
    network.load_state_dict(
        {
            **{name: weights[name] for name in network.state_dict() if not name.startswith("last.")},
            "last.weight": weights["head_weight"].T,
            "last.bias": weights["head_bias"],
        }
    )
    return network.eval()


def _stream_set(weights: Weights, classes: int) -> StreamSet:
    network = StreamSet(weights["columns"].tolist(), classes)
    network.load_state_dict(
        {
            **{name: weights[name] for name in ("columns", "mean", "scale")},
            **{f"{layer}.weight": weights[f"weight_{number}"].T for layer, number in _LAYERS.items()},
            **{f"{layer}.bias": weights[f"bias_{number}"] for layer, number in _LAYERS.items()},
            "direction.weight": weights["head_weight"][:, :1].T,
            "thresholds": weights["head_bias"],
        }
    )
    return network.eval()


def farthest_apart(model: ShelvedModel, windows: list[Window]) -> float:
    """Largest difference between file and twin in any number they say of these windows."""
    network, backbone, read = twin(model), Backbone(model), INPUTS[model.card.features]
    most = 0.0
    for window in windows:
        seen = read(View(window))
        with torch.no_grad():
            features, mask = torch.from_numpy(seen.values)[None], torch.from_numpy(seen.mask)[None].float()
            expected = network(features, mask, *network.head())
        found = backbone.run(seen.values, seen.mask)
        for ours, theirs in zip(found, expected, strict=True):
            assert np.isfinite(ours).all()
            most = max(most, float(np.abs(ours - theirs[0].numpy()).max()))
    return most
