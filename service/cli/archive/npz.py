"""NumPy archive: one member an array, as `numpy.load` reads it."""

import zipfile
from pathlib import Path

import numpy as np

from service.cli.archive.content import Content


def write(target: Path, content: Content) -> None:
    """Write the archive, uncompressed; ``csi`` piece by piece."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("csi.npy", "w", force_zip64=True) as member:
            header = {"descr": "<c8", "fortran_order": False, "shape": (content.frames, *content.shape)}
            np.lib.format.write_array_header_1_0(member, header)
            for piece in content.csi:
                member.write(piece.data)
        for key, array in {**content.arrays, **content.axes, "nic": np.array(content.nic)}.items():
            with archive.open(f"{key}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
