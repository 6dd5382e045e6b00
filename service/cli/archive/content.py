"""What an archive holds, whatever its format."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.cli.archive.capture import Arrays, Shape


@dataclass(frozen=True, slots=True)
class Content:
    """One decoded capture.

    Attributes:
        source: name of the capture file.
        nic: registry name of the card.
        frames: number of frames.
        shape: (subcarrier, rx, tx) that all frames are padded to.
        arrays: facts of every frame, first axis the frame.
        axes: facts of the subcarriers that never change, ``[subcarrier]``.
        csi: channel values, complex64 ``[frame, subcarrier, rx, tx]``, piece by piece, in order; to be
            read once.
    """

    source: str
    nic: str
    frames: int
    shape: Shape
    arrays: Arrays
    axes: Arrays
    csi: Iterator[npt.NDArray[np.complex64]]
