"""A box-shaped room and its mirror images (image method, Allen & Berkley 1979, for radio)."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SPEED_OF_LIGHT = 299_792_458.0


@dataclass(frozen=True, slots=True)
class Room:
    """A box with one corner at the origin.

    Attributes:
        size_m: extent along x, y, z in metres.
        reflection: amplitude reflection coefficients, -1..1, of the walls at x=0, x=max, y=0, y=max, of
            the floor and of the ceiling; negative turns the phase, as most walls do.
    """

    size_m: tuple[float, float, float]
    reflection: tuple[float, float, float, float, float, float] = (-0.5, -0.5, -0.5, -0.5, -0.4, -0.4)

    def __post_init__(self) -> None:
        if min(self.size_m) <= 0:
            raise ValueError(f"a room of {self.size_m} m has no inside")
        if max(map(abs, self.reflection)) > 1:
            raise ValueError(f"reflection coefficients {self.reflection} lie outside -1..1")

    def contains(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Whether each point ``[..., 3]`` lies inside."""
        return np.asarray(np.all((points >= 0) & (points <= np.asarray(self.size_m)), axis=-1))


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """How the walls mirror a point: image ``i`` of ``p`` is ``sign[i] * p + shift[i]``.

    Attributes:
        sign: ±1 ``[image, 3]``.
        shift: metres ``[image, 3]``.
        gain: product of the reflection coefficients on the way ``[image]``.
        order: number of reflections ``[image]``; the first image is the point itself, order 0.
    """

    sign: Floats
    shift: Floats
    gain: Floats
    order: npt.NDArray[np.int64]

    def of(self, points: Floats) -> Floats:
        """All images ``[..., image, 3]`` of points ``[..., 3]``, metres."""
        mirrored: Floats = points[..., None, :] * self.sign + self.shift
        return mirrored

    def upto(self, order: int) -> "Images":
        """Only the images with at most this many reflections."""
        keep = self.order <= order
        return Images(self.sign[keep], self.shift[keep], self.gain[keep], self.order[keep])


def mirror_images(room: Room, order: int) -> Images:
    """All images of a point in `room` with at most `order` reflections, fewest reflections first."""
    axes = [_axis_images(size, order) for size in room.size_m]
    rows = []
    for x, y, z in product(*axes):
        bounces = (*x[2], *y[2], *z[2])
        if sum(bounces) <= order:
            gain = float(np.prod(np.power(room.reflection, bounces)))
            rows.append((sum(bounces), (x[0], y[0], z[0]), (x[1], y[1], z[1]), gain))
    rows.sort(key=lambda row: row[0])
    number, sign, shift, gain_of = zip(*rows, strict=True)
    return Images(
        np.array(sign, float), np.array(shift, float), np.array(gain_of, float), np.array(number, int)
    )


def _axis_images(size: float, order: int) -> list[tuple[float, float, tuple[int, int]]]:
    """(sign, shift, bounces on the near and the far wall) of every image along one axis."""
    found = []
    for cells, flip in product(range(-order, order + 1), (0, 1)):
        near, far = abs(cells - flip), abs(cells)
        if near + far <= order:
            found.append((1.0 - 2.0 * flip, 2.0 * cells * size, (near, far)))
    return found
