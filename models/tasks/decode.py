"""From a model's logits to probabilities, as its card says they are meant."""

import numpy as np
import numpy.typing as npt

from models.tasks.ordinal import Floats, class_probabilities
from models.zoo.card import Output


def probabilities(logits: Floats, output: Output, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Class probabilities ``[..., class]``; rows sum to 1.

    Raises:
        ValueError: the output is metres.
        FloatingPointError: a logit is no number.
    """
    if not np.isfinite(logits).all():
        raise FloatingPointError(f"the model gave {logits}")
    if output == "ordinal":
        return class_probabilities(logits, temperature)
    if output == "softmax":
        scaled = np.asarray(logits, np.float64) / temperature
        powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float64)
    raise ValueError("metres have no class probabilities")
