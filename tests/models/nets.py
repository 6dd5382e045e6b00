"""What the tests of networks outside the zoo share: their file beside torch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.data.samples import MASK


def file_says(file: bytes, inputs: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float32]:
    """Logits of the file's own head, row by row as a file is run, ``[row, output]``."""
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    rows = zip(inputs[name], inputs[name + MASK].astype(np.float32), strict=True)
    found = [session.run(["logits"], {"features": row[None], "mask": mask[None]})[0] for row, mask in rows]
    return np.concatenate(found)
