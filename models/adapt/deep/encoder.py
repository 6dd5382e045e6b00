"""The small network that all deep methods train, how it is trained, and the room's head made of it."""

import time
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from models.adapt.base import ELSEWHERE, Adapter, Setting, Share, unseen
from models.adapt.deep.tensors import Draw, Tensor, Tensors, tensors_of
from models.adapt.head import MOST_BYTES, Kind, RoomHead
from models.errors import SelectionError

HIDDEN, WIDTH = 64, 32
STEPS = 500
RATE = 3e-3
WEIGHT_DECAY = 1e-2
_ROOM_FOR_LAYERS = (
    0.8 * MOST_BYTES / 4
)  # float32 numbers of the layers; mean, scale and last layer need theirs
_LEAST = 1e-6


class Head(nn.Module):
    """The last layer: a column a class, or one direction with a threshold between neighbouring counts."""

    def __init__(self, width: int, classes: int, *, ordered: bool) -> None:
        super().__init__()
        self.ordered = ordered
        self.direction = nn.Linear(width, 1 if ordered else classes, bias=False)
        start = torch.linspace(1, -1, classes - 1) if ordered else torch.zeros(classes)
        self.bias = nn.Parameter(start)

    def last(self) -> tuple[Tensor, Tensor]:
        """Weight ``[width, output]`` and bias ``[output]``."""
        return self.direction.weight.T.expand(-1, len(self.bias)), self.bias

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits ``[row, output]``, cumulative ones of counts."""
        weight, bias = self.last()
        found: Tensor = hidden @ weight + bias
        return found

    def posterior(self, hidden: Tensor) -> Tensor:
        """Class probabilities ``[row, class]``, as `models.tasks.decode` makes them."""
        logits: Tensor = self(hidden)
        if not self.ordered:
            return logits.softmax(dim=1)
        above = torch.sigmoid(logits.cummin(dim=1).values)
        one, zero = torch.ones_like(above[:, :1]), torch.zeros_like(above[:, :1])
        return torch.cat([one, above], dim=1) - torch.cat([above, zero], dim=1)

    def loss(self, hidden: Tensor, label: Tensor) -> Tensor:
        """Cross entropy, cumulative of counts, over the labelled rows; 0 without any."""
        rows = label != ELSEWHERE
        if not rows.any():
            nothing: Tensor = self(hidden).sum() * 0
            return nothing
        logits, known = self(hidden[rows]), label[rows]
        if not self.ordered:
            return cross_entropy(logits, known)
        above = (known[:, None] > torch.arange(logits.shape[1])).float()
        return binary_cross_entropy_with_logits(logits, above)


class Net(nn.Module):
    """Vectors to `WIDTH` numbers, and a head on these."""

    def __init__(self, data: Tensors) -> None:
        super().__init__()
        features = data.source.shape[1]
        hidden = hidden_of(features, WIDTH)
        self.encoder = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, WIDTH))
        self.head = Head(WIDTH, data.classes, ordered=data.ordered)

    def forward(self, values: Tensor) -> Tensor:
        """What the head sees ``[row, WIDTH]``."""
        found: Tensor = self.encoder(values)
        return found

    def supervised(self, draw: Draw) -> Tensor:
        """Loss on old rooms and, as heavy as all of them, on the room's labelled rows."""
        old = self.head.loss(self(draw.source), draw.source_label)
        return old + self.head.loss(self(draw.target), draw.target_label)


class Deep(Adapter):
    """A method of torch; a subclass trains a `Net`."""

    TIER = "deep"

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; the seed holds as long as training is not cut by `MOST_S`."""
        check(self, setting)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        data = tensors_of(setting)
        net = self.learn(data, progress)
        return head_of(net.head, data, list(layers_of(net.encoder)))

    def learn(self, data: Tensors, progress: Share) -> Net:
        """The network of this method."""
        raise NotImplementedError


def check(method: Adapter, setting: Setting) -> None:
    """Refuse a setting without what the method needs.

    Raises:
        SelectionError: labelled rows of two classes, the bridge, or any labelled row at all are missing.
    """
    if "support" in method.NEEDS and len({*setting.needed_support().label.tolist()}) < 2:
        raise SelectionError("the labelled rows show one class; this method needs two or more")
    if "bridge" in method.NEEDS and (setting.bridge is None or not len(setting.bridge)):
        raise SelectionError(f"method {method.NAME} goes over rooms between; give --bridge")
    labelled = (setting.source.label != ELSEWHERE).any()
    if not labelled and setting.support is None:
        raise SelectionError("no row of an old room or of this one has a label of the room's classes")
    if not len(setting.source):
        raise SelectionError(f"method {method.NAME} needs rows of old rooms")


def descend(
    parameters: Iterable[nn.Parameter],
    data: Tensors,
    loss: Callable[[Draw], Tensor],
    *,
    steps: int | None = None,
    rate: float = RATE,
    progress: Share = unseen,
) -> None:
    """AdamW on the loss of drawn batches, its rate falling to 0; ends early when time is up."""
    optimiser = torch.optim.AdamW(parameters, rate, weight_decay=WEIGHT_DECAY)
    steps = steps or STEPS
    for step in range(steps):
        if time.monotonic() > data.until_s:
            return
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimiser.zero_grad()
        loss(data.draw(step / steps)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        progress((step + 1) / steps)


def hidden_of(features: int, width: int) -> int:
    """Widest hidden layer, at most `HIDDEN`, with which a room's tensors stay small enough to keep."""
    return max(4, min(HIDDEN, int(_ROOM_FOR_LAYERS / (features + width))))


def layers_of(network: nn.Sequential) -> Iterable[Tensor]:
    """Weights ``[in, out]`` and biases in turn."""
    for layer in network:
        if isinstance(layer, nn.Linear):
            yield from (layer.weight.detach().T, layer.bias.detach())


def head_of(head: Head, data: Tensors, side: list[Tensor], mix: float = 0.0) -> RoomHead:
    """The tensors of the room."""
    weight, bias = (value.detach().numpy() for value in head.last())
    kind: Kind = "ordinal" if data.ordered else "softmax"
    layers = [value.numpy() for value in side]
    return RoomHead.of(kind, data.standard, (weight, bias), side=layers, mix=mix)
