"""A room's head as bytes: an .npz without pickles, in the store and in files alike."""

import io
import zipfile

import numpy as np

from models.adapt.head import RoomHead


def pack_head(head: RoomHead) -> bytes:
    """The head as bytes."""
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **head.arrays())
    return held.getvalue()


def unpack_head(data: bytes) -> RoomHead:
    """What `pack_head` gave.

    Raises:
        ValueError: it is damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return RoomHead.from_arrays(dict(held))
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, IndexError) as error:
        raise ValueError(f"a damaged head: {error}") from error
