"""Reads one capture with CSIKit: ``python read_csikit.py FILE OUT.npz``; it tells the format itself.

Runs in a virtual environment of its own (CSIKit 2.5 needs NumPy 1), without Roomtone.
"""

import sys
from typing import Any

import numpy as np
from CSIKit.reader import get_reader


def main(file: str, out: str) -> None:
    """Write every frame's values, unscaled."""
    data = get_reader(file).read_file(file, scaled=False)
    frames: dict[str, Any] = {f"{place:06d}": np.asarray(f.csi_matrix) for place, f in enumerate(data.frames)}
    np.savez(out, **frames)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
