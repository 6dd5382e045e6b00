"""Waves along paths: how they turn over time and subcarriers, and which late echoes stand for all."""

import numpy as np
import numpy.typing as npt

from drivers.simulate.room import Floats, Images, Room

Complex = npt.NDArray[np.complex64]
_NEAREST_M = 0.3  # a body point does not come closer to an antenna than this


def turn(cycles: Floats) -> Complex:
    """exp(-2 pi i cycles) as complex64, exact for any number of cycles."""
    angle = ((cycles - np.rint(cycles)) * (-2 * np.pi)).astype(np.float32)
    wave = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=wave.real)
    np.sin(angle, out=wave.imag)
    return wave


def spread(delay: Floats, offset_hz: Floats) -> Complex:
    """Turn of paths of `delay` seconds over the subcarriers, ``[time, point, subcarrier, image]``.

    A few turns at most, so single precision does.
    """
    step = (-2 * np.pi * 1e-6 * offset_hz).astype(np.float32)
    angle = (delay * 1e6).astype(np.float32)[..., None, :] * step[:, None]
    wave = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=wave.real)
    np.sin(angle, out=wave.imag)
    return wave


def echo_images(room: Room, images: Images, count: int) -> Images:
    """The images of first order, and `count` later ones that stand for all the late ones.

    A room has hundreds of late reflections, too many to follow for every scatterer. They are sorted by
    distance and split into `count` groups of equal energy; the middle one of each carries its group's.
    """
    late = np.flatnonzero(images.order > 1)
    early = np.flatnonzero(images.order <= 1)
    if not count or not len(late):
        return images.upto(1)
    middle = np.asarray(room.size_m) / 2
    length = np.linalg.norm(images.of(middle)[late] - middle, axis=-1)
    late = late[np.argsort(length, kind="stable")]
    energy = (images.gain[late] / np.sort(length, kind="stable")) ** 2
    share = np.cumsum(energy) / energy.sum()
    chosen = np.unique(np.searchsorted(share, (np.arange(count) + 0.5) / count))
    gain = images.gain.copy()
    gain[late[chosen]] *= np.sqrt(energy.sum() / len(chosen) / energy[chosen])
    keep = np.concatenate([early, late[chosen]])
    return Images(images.sign[keep], images.shift[keep], gain[keep], images.order[keep])


def distances(points: Floats, images: Floats) -> Floats:
    """Distances of points ``[time, point, 3]`` to ``[antenna, image, 3]``, least antenna first."""
    square = np.zeros((images.shape[0], *points.shape[:2], images.shape[1]))
    for axis in range(3):
        square += (points[None, :, :, None, axis] - images[:, None, None, :, axis]) ** 2
    return np.maximum(np.sqrt(square, out=square), _NEAREST_M)
