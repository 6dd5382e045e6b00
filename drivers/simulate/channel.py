"""Channel of one link: static paths, paths over moving scatterers, and bodies that stand in the way.

Free-space amplitude of a path of length d is lambda / (4 pi d); over a scatterer of radar cross section
sigma at d1 from the transmitter and d2 from the receiver it is lambda sqrt(sigma) / ((4 pi)^1.5 d1 d2)
(bistatic radar equation). A subcarrier at f turns it by exp(-2 pi i f d / c).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drivers.simulate.antenna import Array
from drivers.simulate.grid import Grid
from drivers.simulate.room import SPEED_OF_LIGHT, Floats, Images, Room, mirror_images
from drivers.simulate.shadow import shadows
from drivers.simulate.waves import Complex, distances, echo_images, spread, turn


@dataclass(frozen=True)
class Link:
    """Geometry of one transmitter-receiver pair in a room.

    Attributes:
        room, transmitter, receiver, grid: what the names say.
        order: reflections of the static paths.
        clutter: still scatterers such as furniture, ``(x, y, z, radar cross section in m2)``.
        transmitted: share of the direct path's amplitude that arrives (0 behind a metal cupboard, say).
        echoes: late reflections on either side of a moving scatterer, 0 for none; see `echo_images`.
    """

    room: Room
    transmitter: Array
    receiver: Array
    grid: Grid
    order: int = 5
    clutter: tuple[tuple[float, float, float, float], ...] = ()
    transmitted: float = 1.0
    echoes: int = 8

    @property
    def wavelength_m(self) -> float:
        """Wavelength at the channel's centre."""
        return SPEED_OF_LIGHT / self.grid.centre_hz

    @cached_property
    def images(self) -> Images:
        """Images of the transmitter up to `order`."""
        return mirror_images(self.room, self.order)

    @cached_property
    def first_order(self) -> Images:
        """Direct path and single reflections: the paths that bodies block one by one, or scatter into."""
        return self.images.upto(1)

    @cached_property
    def scattering(self) -> Images:
        """Images through which a scatterer is lit and heard: the first order, and some late echoes."""
        return echo_images(self.room, self.images, self.echoes)

    @cached_property
    def paths(self) -> Complex:
        """Static channel of every image path, ``[image, subcarrier, rx, tx]``."""
        mirrored = self.images.of(self.transmitter.points)  # [tx, image, 3]
        length = np.linalg.norm(mirrored[:, :, None] - self.receiver.points, axis=-1)  # [tx, image, rx]
        gain = self.images.gain * np.where(self.images.order == 0, self.transmitted, 1.0)
        amplitude = self.wavelength_m / (4 * np.pi * length) * gain[:, None]
        cycles = length[..., None] * self.grid.frequency_hz / SPEED_OF_LIGHT  # [tx, image, rx, subcarrier]
        waves = amplitude[..., None].astype(np.float32) * turn(cycles)
        return np.ascontiguousarray(np.transpose(waves, (1, 3, 2, 0)))

    @cached_property
    def diffuse(self) -> Complex:
        """Static channel of what bodies do not block one by one: late reflections and furniture."""
        late: Complex = self.paths[len(self.first_order.gain) :].sum(axis=0)
        if self.clutter:
            things = np.asarray(self.clutter)
            late = late + self.scattered(things[None, :, :3], np.sqrt(things[None, :, 3]))[0]
        return late

    @cached_property
    def static(self) -> Complex:
        """Channel of the empty room, ``[subcarrier, rx, tx]``."""
        blocked: Complex = self.paths[: len(self.first_order.gain)].sum(axis=0)
        return np.asarray(blocked + self.diffuse, np.complex64)

    def scattered(self, points: Floats, strength: Floats) -> Complex:
        """Channel over scatterers, directly and over one wall on either side.

        Args:
            points: places ``[time, point, 3]``, metres.
            strength: square root of the radar cross section ``[time, point]``, metres.

        Returns:
            complex64 ``[time, subcarrier, rx, tx]``.
        """
        into = self._half(points, self.transmitter)
        out = self._half(points, self.receiver)
        scale = strength * self.wavelength_m / (4 * np.pi) ** 1.5
        out *= scale[:, :, None, None].astype(np.float32)
        times, _, subcarriers, rx = out.shape
        channel = np.empty((times, subcarriers, rx, into.shape[-1]), np.complex64)
        # One pass an antenna pair: several times faster than one batched product of tiny matrices.
        for row, column in np.ndindex(channel.shape[2:]):
            channel[..., row, column] = (out[..., row] * into[..., column]).sum(axis=1)
        return channel

    def _half(self, points: Floats, array: Array) -> Complex:
        """Propagation between an array and scatterers, ``[time, point, subcarrier, antenna]``.

        Phases of the carrier are exact for each antenna; the turn over the subcarriers is taken from the
        array's centre (an error under 0.03 rad for arrays of 10 cm).
        """
        carrier = self.grid.centre_hz / SPEED_OF_LIGHT
        images = self.scattering
        length = distances(points, images.of(array.points))  # [antenna, time, point, image]
        wave = turn(length * carrier) * (images.gain / length).astype(np.float32)
        delay = distances(points, images.of(array.centre)[None])[0] / SPEED_OF_LIGHT
        half: Complex = np.matmul(
            spread(delay, self.grid.offset_hz), np.ascontiguousarray(wave.transpose(1, 2, 3, 0))
        )
        return half

    def unblocked(
        self,
        bodies: Floats,
        presence: Floats,
        *,
        radius_m: float,
        depth: float,
        reach: tuple[Floats, Floats] | None = None,
    ) -> Floats:
        """Share 0..1 of each first-order path's amplitude that passes the bodies.

        Args:
            bodies: torso centres ``[time, body, 3]``, metres.
            presence: how much each body is there, 0..1 ``[time, body]``.
            radius_m: how wide a body's shadow is.
            depth: share of amplitude that a body right in the way takes.
            reach: lowest and highest point of each body ``[time, body]``; None for floor to ceiling.

        Returns:
            ``[time, image]``.
        """
        sender, receiver = self.transmitter.centre, self.receiver.centre
        shadow = shadows(bodies, self.first_order, sender, receiver, radius_m=radius_m, reach=reach)
        passed: Floats = np.prod(1 - depth * presence[..., None] * shadow, axis=1)
        return passed
