"""HDF5: one dataset an array, ``csi`` chunked and compressed, names of axes as attributes."""

from pathlib import Path

import h5py
import numpy as np

from service.cli.archive.content import Content

CHUNK_FRAMES = 256
AXES = {"csi": "frame, subcarrier, rx, tx", "rssi_dbm": "frame, rx"}


def write(target: Path, content: Content) -> None:
    """Write the file; the root's attributes name NIC and source."""
    with h5py.File(target, "w") as file:
        file.attrs.update(nic=content.nic, source=content.source, made_by="roomtone convert")
        chunk = (min(CHUNK_FRAMES, content.frames), *content.shape)
        shape = (content.frames, *content.shape)
        csi = file.create_dataset("csi", shape, np.complex64, chunks=chunk, compression="gzip", shuffle=True)
        start = 0
        for piece in content.csi:
            csi[start : start + len(piece)] = piece
            start += len(piece)
        for key, array in (content.arrays | content.axes).items():
            file.create_dataset(key, data=array)
        for key, axes in AXES.items():
            file[key].attrs["axes"] = axes
