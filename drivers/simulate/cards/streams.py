"""Frames with all transmit streams, and frames with the first alone, as blocks of one shape each."""

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock, Raw


def by_streams(whole: FrameBlock, single: npt.NDArray[np.bool_]) -> list[FrameBlock]:
    """The block as it is, or split where `single` ``[frame]`` says that only one stream was sent.

    Returns:
        Blocks ordered by their first frame.
    """
    if whole.raw.shape[3] == 1 or not single.any():
        return [whole]
    few = whole.take(single)
    first = cast("Raw", np.ascontiguousarray(few.raw[:, :, :, :1]))
    few = replace(few, raw=first, present=few.present[:, :1])
    parts = [whole.take(~single), few]
    return sorted((part for part in parts if len(part)), key=lambda part: int(part.index[0]))
