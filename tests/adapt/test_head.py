"""The tensors of a room: what they answer, how they are kept, and that they stand in for a card's head."""

import numpy as np
import pytest

from models.adapt.head import RoomHead, card_logits
from models.tasks.decode import probabilities

RNG = np.random.default_rng(1)


def plain(kind: str = "softmax", width: int = 4, outputs: int = 3, **more: object) -> RoomHead:
    standard = (np.zeros(width), np.ones(width))
    return RoomHead.of(kind, standard, (RNG.standard_normal((width, outputs)), np.zeros(outputs)), **more)  # type: ignore[arg-type]


def test_neighbours_answer_with_the_nearest_class() -> None:
    bank = np.array([[0.0, 0], [0, 1], [5, 5], [5, 6]])
    head = RoomHead.of("neighbours", (np.zeros(2), np.ones(2)), (bank, [0, 0, 2, 2]))
    found = head.predict(np.array([[0.2, 0.3], [5.0, 5.2]]))
    assert found.argmax(axis=1).tolist() == [0, 2]
    assert found[:, 1] == pytest.approx(0)


def test_a_side_network_is_mixed_in() -> None:
    layers = (np.eye(4), np.zeros(4), 2 * np.eye(4), np.ones(4))
    x = RNG.standard_normal((5, 4))
    head = plain(side=layers, mix=0.25)
    assert head.hidden(x) == pytest.approx(0.25 * x + 0.75 * (2 * np.maximum(x, 0) + 1), rel=1e-5)


@pytest.mark.parametrize("output", ["softmax", "ordinal"])
def test_any_head_stands_in_for_that_of_a_card(output: str) -> None:
    found = plain().predict(RNG.standard_normal((20, 4)))
    again = probabilities(card_logits(found, output, 1.7), output, 1.7)  # type: ignore[arg-type]
    assert again == pytest.approx(found, abs=1e-4)


def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        RoomHead.of("softmax", ([0.0], [1.0]), ([[np.nan]], [0.0]))
    with pytest.raises(ValueError, match="at most"):
        RoomHead.of("softmax", (np.zeros(300), np.ones(300)), (np.zeros((300, 300)), np.zeros(300)))
    with pytest.raises(ValueError, match="kind"):
        plain("guess")
    arrays = plain().arrays()
    del arrays["bias"]
    with pytest.raises(ValueError, match="bias"):
        RoomHead.from_arrays(arrays)
