"""Reads one capture with Roomtone: ``python -m tests.peers.read_roomtone FILE OUT.npz``."""

import sys
from pathlib import Path

import numpy as np

from drivers.source import nic_of, read_chunks
from drivers.stream import Stream


def main(file: Path, out: Path) -> None:
    """Write every frame's raw values, in stream order, as flat rows."""
    stream = Stream(nic_of(file))
    blocks = [block for chunk in read_chunks(file) for block in stream.feed(chunk)] + stream.finish()
    rows = {int(place): row for block in blocks for place, row in zip(block.index, block.csi(), strict=True)}
    np.savez(out, **{f"{place:06d}": rows[place] for place in sorted(rows)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
