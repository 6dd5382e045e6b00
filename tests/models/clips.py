"""Small activity clips with known movement, laid out like har_two_rooms_5300."""

from pathlib import Path

import numpy as np


def clip(kind: int, rng: np.random.Generator, room: np.ndarray) -> np.ndarray:
    """CSI ``[3, 30, 200]`` at 20 frames a second: still, one burst, or steady movement at 4 Hz."""
    time = np.arange(200) / 20
    size = (np.zeros(200), np.exp(-(((time - rng.uniform(3, 7)) / 0.5) ** 2)), np.ones(200))[kind]
    phase = 2 * np.pi * (4 * time + rng.uniform())
    turn = np.exp(1j * (phase + rng.uniform(0, 6, (3, 30, 1))))
    noise = 0.03 * (rng.standard_normal((3, 30, 200)) + 1j * rng.standard_normal((3, 30, 200)))
    return np.asarray(room[..., None] + 0.4 * size * turn + noise, np.complex64)


def dataset(folder: Path, each: int = 6) -> Path:
    """Two rooms, two persons; activities 1 (lying), 7 (jump) and 4 (walking)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(("attic_Ann", "attic_Bob", "cellar_Ann", "cellar_Bob")):
        rng = np.random.default_rng(number)
        room = np.exp(1j * rng.uniform(0, 6, (3, 30))) * rng.uniform(0.6, 1.4, (3, 30))
        kinds = np.repeat(np.arange(3), each)
        made = np.stack([clip(kind, rng, room) for kind in kinds.tolist()])
        largest = np.abs(made).max(axis=(1, 2, 3)) / 127
        parts = np.stack([made.real, made.imag], axis=-1) / largest[:, None, None, None, None]
        np.savez(
            folder / f"{name}.npz",
            csi_int8=parts.round().astype(np.int8),
            scale=largest.astype(np.float32),
            activity=np.array([1, 7, 4])[kinds],
            sample_no=np.tile(np.arange(1, each + 1), 3),
        )
    return folder
