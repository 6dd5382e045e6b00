"""Reads one capture with csiread: ``python read_csiread.py FILE OUT.npz NIC [CHIP BANDWIDTH]``.

csiread must be told what it reads; it gets the class and the sizes that suit it best. Runs without Roomtone.
"""

import sys

import csiread
import numpy as np


def read(file: str, nic: str, chip: str, bandwidth: str) -> np.ndarray:
    """Its frames, ``[frame, ...]``."""
    if nic == "intel5300":
        reader = csiread.Intel(file, nrxnum=3, ntxnum=3, if_report=False)
    elif nic == "atheros":
        with open(file, "rb") as capture:  # noqa: PTH123 - runs on the peer's own Python
            lead = capture.read(1) == b"\xff"
        kind = csiread.AtherosPull10 if lead else csiread.Atheros
        tones = 114 if bandwidth == "40" else 56
        reader = kind(file, nrxnum=3, ntxnum=2, tones=tones, if_report=False)
    elif nic == "nexmon":
        reader = csiread.Nexmon(file, chip=chip, bw=int(bandwidth), if_report=False)
    else:
        reader = csiread.ESP32(file, if_report=False, maxlen=384)
    reader.read()
    return np.asarray(reader.csi)


if __name__ == "__main__":
    found = read(sys.argv[1], sys.argv[3], *([*sys.argv[4:], "", ""][:2]))
    np.savez(sys.argv[2], **{f"{place:06d}": row for place, row in enumerate(found)})
