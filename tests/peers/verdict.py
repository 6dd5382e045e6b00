"""Whether frames that a parser gave are frames of the reference decodes, and in words."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.complex128]
SAME = 1e-6
"""Largest relative difference that is called equal: one step of float32 and then some."""
ALIKE = 0.9999
"""Least correlation of a frame that is right but for its scale."""


class Reference:
    """Reference frames of one NIC, by number of values.

    Args:
        golden: folder of the reference decodes.
        suffix: of those of this NIC.
    """

    def __init__(self, golden: Path, suffix: str) -> None:
        rows: dict[tuple[int, bool], list[Values]] = {}
        for path in sorted(golden.glob(f"*{suffix}.npz")):
            with np.load(path) as file:
                csi = file["csi"]
                rows.setdefault((csi[0].size, False), []).append(_flat(csi))
                if "perm" in file:
                    chains = np.take_along_axis(csi, file["perm"].astype(np.int64)[:, None, :, None], axis=2)
                    rows.setdefault((csi[0].size, True), []).append(_flat(chains))
        self._rows = {kind: np.concatenate(parts) for kind, parts in rows.items()}
        self._unit = {kind: _unit(rows) for kind, rows in self._rows.items()}
        self._exact = {kind: set(map(_key, rows)) for kind, rows in self._rows.items()}

    def judge(self, frame: Values, *, chains: bool = False) -> str:
        """``right``, ``scaled`` (right but for a factor), ``zeros``, ``wrong``, or ``unchecked``.

        With `chains` the rows of an Intel frame must be receive chains, not antennas.
        """
        flat = frame.reshape(-1).astype(np.complex128)
        if not flat.any():
            return "zeros"
        if (kind := (flat.size, chains)) not in self._rows:
            return "unchecked"
        if _key(flat) in self._exact[kind]:
            return "right"
        likeness = np.abs(self._unit[kind].conj() @ (flat / np.linalg.norm(flat)))
        best = self._rows[kind][int(likeness.argmax())]
        if np.linalg.norm(flat - best) <= SAME * np.linalg.norm(best):
            return "right"
        return "scaled" if likeness.max() >= ALIKE else "wrong"


def _flat(csi: npt.NDArray[np.complex64]) -> Values:
    return csi.reshape(len(csi), -1).astype(np.complex128)


def _key(row: Values) -> bytes:
    """The values as bytes; adding zero makes every zero the positive one."""
    return (row + 0).astype(np.complex64).tobytes()


def _unit(rows: Values) -> Values:
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, size, out=np.zeros_like(rows), where=size > 0), np.complex128)


def on_three_antennas(frame: Values, nic: str) -> Values:
    """The frame as the reference lays it out: Intel 30 x 3 x 3 padded with zeros, others as they are."""
    if nic != "intel5300" or frame.ndim < 2:
        return frame
    shaped = frame if frame.ndim == 3 else frame[..., None]
    padded = np.zeros((30, 3, 3), np.complex128)
    _, rx, tx = (min(pair) for pair in zip(shaped.shape, padded.shape, strict=True))
    padded[:, :rx, :tx] = shaped[:, :rx, :tx]
    return padded
