"""Windows of a made-up room as inference requests: the inputs that the worker makes, as JSON."""

from typing import Any

import numpy as np

from models.signal.bands import VERSION as BANDED
from models.signal.inputs import INPUTS, Measured
from models.signal.view import View
from models.signal.window import Window
from tests.models import make


def window(people: int = 2, seed: int = 3) -> Window:
    return make.windows(make.recording(8, people, seed=seed))[-1]


def tensor(name: str, values: Any, **more: Any) -> dict[str, Any]:
    array = np.asarray(values, np.float32)
    return {"name": name, "shape": list(array.shape), "datatype": "FP32", "data": array.tolist(), **more}


def of(seen: Measured, values: str, mask: str) -> list[dict[str, Any]]:
    return [tensor(values, seen.values[None]), tensor(mask, seen.mask[None])]


def inputs(view: View, *, head: bool = False) -> list[dict[str, Any]]:
    """What a shelf's model takes of a window; with `head` what a room's head takes."""
    found = of(INPUTS["variation-1"](view), "features", "mask")
    return found + of(INPUTS[BANDED](view), "bands", "bands_mask") if head else found


def outputs(answer: Any) -> dict[str, np.ndarray]:
    """Arrays by name out of an inference response."""
    assert answer.status_code == 200, answer.text
    return {
        one["name"]: np.array(one["data"], np.float32).reshape(one["shape"])
        for one in answer.json()["outputs"]
    }
