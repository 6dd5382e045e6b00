"""Real and imaginary part of frames from firmware that wrote the imaginary one first."""

from dataclasses import replace
from typing import Literal

import numpy as np

from drivers.frame import FrameBlock, FrameFlag

IqOrder = Literal["as_recorded", "imag_first"]


def in_order(block: FrameBlock, order: IqOrder) -> FrameBlock:
    """The block with the parts of its suspect frames swapped, if `order` says ``"imag_first"``.

    A frame is suspect (`FrameFlag.IQ_SUSPECT`) by its firmware's era; a swapped one is not marked any more.
    """
    if order == "as_recorded":
        return block
    suspect = (block.table["flags"] & np.uint32(FrameFlag.IQ_SUSPECT)) != 0
    if not suspect.any():
        return block
    table, raw = block.table.copy(), block.raw.copy()
    raw[suspect] = raw[suspect][..., ::-1]
    table["flags"][suspect] &= ~np.uint32(FrameFlag.IQ_SUSPECT)
    return replace(block, table=table, raw=raw)
