"""Things that people carry: plates, tins and bottles, of metal or with a liquid in them.

What they scatter follows physical optics (Knott, Shaeffer, Tuley, Radar Cross Section, ch. 5): a plate has
a narrow lobe of 4 pi A^2 / lambda^2 where it mirrors the transmitter into the receiver, an upright cylinder
of radius a and height h a lobe of 2 pi a h^2 / lambda all round its axis. In other directions there is the
mean of a large body turned at random, a quarter of its surface. Reflection at a liquid is Fresnel's, from
its permittivity. Smaller than a wavelength (a thin knife) these are rough.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from drivers.simulate.room import Floats

_WATER = 77 - 12j  # relative permittivity between 2.4 and 5.8 GHz at room temperature, about
_HELD = {"front": (0.22, 0.0, 0.12), "back": (-0.2, 0.0, 0.15), "side": (0.05, 0.32, -0.2)}
"""Ahead of, left of and above the middle of the body, metres."""


class Material(StrEnum):
    """What a thing is made of, as far as waves can tell."""

    METAL = "metal"
    LIQUID = "liquid"


class Shape(StrEnum):
    """A flat upright plate (tray, laptop, blade) or an upright cylinder (tin, bottle)."""

    PLATE = "plate"
    CYLINDER = "cylinder"


@dataclass(frozen=True, slots=True)
class Carried:
    """One thing that somebody carries.

    Attributes:
        material: metal reflects all and lets part of the wave around it; liquid reflects less, and absorbs.
        width_m: width of a plate, diameter of a cylinder.
        height_m: of either.
        shape: None for what is usual: metal a plate, liquid a bottle.
        place: before the body, on its back or in a hand: ``front``, ``back``, ``side``.

    Raises:
        ValueError: a size outside 1 cm to 1.5 m, or an unknown place.
    """

    material: Material
    width_m: float = 0.3
    height_m: float = 0.2
    shape: Shape | None = None
    place: str = "front"

    def __post_init__(self) -> None:
        if not (0.01 <= self.width_m <= 1.5 and 0.01 <= self.height_m <= 1.5):
            raise ValueError(f"a thing of {self.width_m:g} x {self.height_m:g} m is outside 0.01 to 1.5 m")
        if self.place not in _HELD:
            raise ValueError(f"{self.place!r} is no place to carry things; there are: {', '.join(_HELD)}")

    @property
    def form(self) -> Shape:
        """Its shape, the usual one unless said."""
        usual = Shape.PLATE if self.material is Material.METAL else Shape.CYLINDER
        return self.shape or usual

    @property
    def reflects(self) -> float:
        """Share of amplitude that its surface throws back (Fresnel, straight on)."""
        if self.material is Material.METAL:
            return 1.0
        index = np.sqrt(_WATER)
        return float(abs((1 - index) / (1 + index)))

    @property
    def opacity(self) -> float:
        """Share of the covered wave that is missing behind it.

        A choice, not a formula: the currents on a conductor's edges carry part of the wave around it, a
        lossy liquid takes it up.
        """
        return 0.6 if self.material is Material.METAL else 0.95

    @property
    def mean_area_m2(self) -> float:
        """Area it shows on average, turned at random: a quarter of its surface (Cauchy)."""
        if self.form is Shape.PLATE:
            return self.width_m * self.height_m / 2
        return float(np.pi * self.width_m * (self.height_m + self.width_m / 2) / 4)

    @property
    def absorbs_m2(self) -> float:
        """Area on which it swallows what comes from all sides; none for metal."""
        return self.mean_area_m2 * (1 - self.reflects**2)

    def at(self, torso: Floats, heading: Floats) -> Floats:
        """Where it is ``[time, 3]``; `torso` is its carrier's middle ``[time, 3]``, who faces `heading`."""
        ahead, left, up = _HELD[self.place]
        east, north = np.cos(heading), np.sin(heading)
        place = torso + np.stack([ahead * east - left * north, ahead * north + left * east, 0 * east], axis=1)
        place[:, 2] = np.maximum(place[:, 2] + up, self.height_m / 2)
        return np.asarray(place, np.float64)

    def strength(
        self, place: Floats, heading: Floats, sender: Floats, receiver: Floats, wavelength_m: float
    ) -> Floats:
        """Square root of its bistatic radar cross section ``[time]``, metres.

        Args:
            place: where it is ``[time, 3]``.
            heading: where its carrier faces ``[time]``; a plate at the side faces aside.
            sender: middle of the transmitting array ``[3]``.
            receiver: middle of the receiving array ``[3]``.
            wavelength_m: of the carrier.
        """
        towards = _unit(sender - place) + _unit(receiver - place)
        lobe = self._plate(towards, heading, wavelength_m)
        if self.form is Shape.CYLINDER:
            lobe = self._cylinder(towards, wavelength_m)
        return self.reflects * np.sqrt(lobe**2 + self.mean_area_m2)

    def _plate(self, towards: Floats, heading: Floats, wavelength_m: float) -> Floats:
        """Mirror lobe of a plate, reflecting all; `towards` is the sum of both directions ``[time, 3]``."""
        facing = heading + (np.pi / 2 if self.place == "side" else 0.0)
        normal = towards[:, 0] * np.cos(facing) + towards[:, 1] * np.sin(facing)
        along = towards[:, 1] * np.cos(facing) - towards[:, 0] * np.sin(facing)
        lobe = np.sinc(self.width_m * along / wavelength_m) * np.sinc(
            self.height_m * towards[:, 2] / wavelength_m
        )
        area = self.width_m * self.height_m
        return np.asarray(np.sqrt(4 * np.pi) * area / wavelength_m * np.abs(normal / 2 * lobe), np.float64)

    def _cylinder(self, towards: Floats, wavelength_m: float) -> Floats:
        """Lobe of an upright cylinder, reflecting all."""
        level = np.sqrt(np.hypot(towards[:, 0], towards[:, 1]) / 2)
        lobe = np.sinc(self.height_m * towards[:, 2] / wavelength_m)
        size = np.sqrt(np.pi * self.width_m / wavelength_m) * self.height_m
        return np.asarray(size * level * np.abs(lobe), np.float64)


def _unit(way: Floats) -> Floats:
    return np.asarray(way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6), np.float64)
