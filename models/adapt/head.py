"""What a room keeps of an adaptation: a few tensors behind the shared backbone. numpy alone; serving runs it.

    x = (vector - mean) / scale
    x = mix * x + (1 - mix) * side(x)          where there is a side network (side-tuning)
    logits = x @ weight + bias                  or how near the labelled vectors of each class are
    probabilities = softmax(logits / temperature), or cumulative ones for counts

Everything is small: a room's tensors are at most 256 KB (DESIGN B4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from models.tasks.decode import probabilities
from models.zoo.card import Output

Floats = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Kind = Literal["softmax", "ordinal", "neighbours"]
KINDS: tuple[Kind, ...] = ("softmax", "ordinal", "neighbours")
MOST_BYTES = 256 * 1024
NEAREST = 3
"""Neighbours of each class that count."""
_FAR = 1e6  # squared distance of a class that nobody labelled
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class RoomHead:
    """Tensors of one room and task, float32.

    Attributes:
        kind: how `weight` and `bias` answer; `softmax` has a column a class, `ordinal` one a threshold, and
            `neighbours` a labelled vector a row, with its class in `bias`.
        mean: taken off each vector ``[feature]``; it is divided by `scale` then.
        scale: see there.
        weight: ``[width, output]``; of neighbours ``[labelled, width]``.
        bias: ``[output]``; of neighbours ``[labelled]``.
        temperature: logits are divided by it.
        mix: share of the vector itself where there is a side network, 0..1.
        side: layers of the side network, weight and bias in turn, with ReLU between; it ends in as many
            numbers as a vector has, or, with `mix` 0, as `weight` takes.
    """

    kind: Kind
    mean: Single
    scale: Single
    weight: Single
    bias: Single
    temperature: float = 1.0
    mix: float = 1.0
    side: tuple[Single, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a head of kind {self.kind!r}; there are {', '.join(KINDS)}")
        if not all(np.isfinite(value).all() for value in self.arrays().values()):
            raise ValueError("a head holds numbers that are not finite")
        if self.nbytes > MOST_BYTES:
            raise ValueError(f"a head of {self.nbytes} bytes; at most {MOST_BYTES} are kept for a room")

    @classmethod
    def of(
        cls,
        kind: Kind,
        standard: tuple[npt.ArrayLike, npt.ArrayLike],
        last: tuple[npt.ArrayLike, npt.ArrayLike],
        *,
        side: Sequence[npt.ArrayLike] = (),
        mix: float = 1.0,
        temperature: float = 1.0,
    ) -> Self:
        """A head of arrays of any type: mean and scale, weight and bias, layers of the side network."""
        mean, scale, weight, bias = (np.asarray(value, np.float32) for value in (*standard, *last))
        layers = tuple(np.asarray(value, np.float32) for value in side)
        return cls(kind, mean, scale, weight, bias, temperature=temperature, mix=mix, side=layers)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(value.nbytes for value in self.arrays().values())

    def predict(self, vectors: npt.NDArray[np.floating]) -> Floats:
        """Class probabilities ``[row, class]`` of vectors ``[row, feature]``.

        Raises:
            FloatingPointError: a vector is not finite.
        """
        output: Output = "ordinal" if self.kind == "ordinal" else "softmax"
        return probabilities(self.logits(vectors), output, self.temperature)

    def logits(self, vectors: npt.NDArray[np.floating]) -> Floats:
        """Before temperature, ``[row, output]``."""
        hidden = self.hidden(vectors)
        if self.kind != "neighbours":
            return np.asarray(hidden @ self.weight + self.bias, np.float64)
        return self._nearness(hidden)

    def _nearness(self, hidden: Floats) -> Floats:
        """Minus the squared distance to the `NEAREST` nearest labelled vectors of each class, on average."""
        bank = self.weight.astype(np.float64)
        square = (hidden**2).sum(axis=1)[:, None] + (bank**2).sum(axis=1) - 2 * hidden @ bank.T
        found = np.full((len(hidden), int(self.bias.max()) + 1), -_FAR)
        for one in np.unique(self.bias):
            near = np.sort(square[:, self.bias == one], axis=1)[:, :NEAREST]
            found[:, int(one)] = -near.mean(axis=1)
        return found

    def hidden(self, vectors: npt.NDArray[np.floating]) -> Floats:
        """What the last layer sees, ``[row, width]``."""
        x = (np.asarray(vectors, np.float64) - self.mean) / self.scale
        if not self.side:
            return x
        y = x
        for layer in range(0, len(self.side), 2):
            y = y @ self.side[layer] + self.side[layer + 1]
            y = np.maximum(y, 0) if layer + 2 < len(self.side) else y
        return y if self.mix == 0 else self.mix * x + (1 - self.mix) * y

    def arrays(self) -> dict[str, Single]:
        """Tensors by name, as they are kept in a store or an .npz file."""
        found: dict[str, Single] = {
            "mean": self.mean,
            "scale": self.scale,
            "weight": self.weight,
            "bias": self.bias,
        }
        found["numbers"] = np.array([self.temperature, self.mix, KINDS.index(self.kind)], np.float32)
        return found | {f"side_{number}": layer for number, layer in enumerate(self.side)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Single]) -> Self:
        """What `arrays` gave.

        Raises:
            ValueError: tensors are missing, or do not fit.
        """
        missing = {"mean", "scale", "weight", "bias", "numbers"} - set(arrays)
        if missing or len(arrays["numbers"]) != 3:
            raise ValueError(f"a head without {', '.join(sorted(missing)) or 'its three numbers'}")
        temperature, mix, kind = (float(value) for value in arrays["numbers"])
        side = tuple(arrays[f"side_{n}"] for n in range(len(arrays)) if f"side_{n}" in arrays)
        standard, last = (arrays["mean"], arrays["scale"]), (arrays["weight"], arrays["bias"])
        head = cls.of(KINDS[int(kind)], standard, last, temperature=temperature, mix=mix, side=side)
        head.logits(np.zeros((1, len(head.mean))))  # shapes that do not fit are found here
        return head


def card_logits(found: Floats, output: Output, temperature: float) -> Floats:
    """Logits that `models.tasks.decode.probabilities` turns into these probabilities ``[..., class]``.

    So a head of any kind can stand in for the head of a card with this output and temperature.
    """
    if output == "softmax":
        return np.asarray(np.log(np.maximum(found, _LEAST)) * temperature, np.float64)
    above = np.clip(np.cumsum(found[..., ::-1], axis=-1)[..., ::-1][..., 1:], _LEAST, 1 - _LEAST)
    return np.asarray(np.log(above / (1 - above)) * temperature, np.float64)


__all__ = ["MOST_BYTES", "RoomHead", "card_logits"]
