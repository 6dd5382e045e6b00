"""Channel over everything that stands still, as far as bodies and what they carry let it pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.simulate.carried import Carried
from drivers.simulate.channel import Link
from drivers.simulate.people import Body
from drivers.simulate.room import Floats
from drivers.simulate.scene import Scene
from drivers.simulate.waves import Complex

BODY_RADIUS_M = 0.28
_BODY_AREA_M2 = 0.5  # what a body shows from the side on average; its absorption is that of `Crowd`
_NARROW_M = 0.12  # the shadow of something small is as wide as the waves bend


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """Something carried, at some times.

    Attributes:
        carried: what it is.
        place: its middle ``[time, 3]``, metres.
        heading: where its carrier faces ``[time]``, radians.
        presence: 0..1 with its carrier ``[time]``.
    """

    carried: Carried
    place: Floats
    heading: Floats
    presence: Floats

    @classmethod
    def of(cls, carried: Carried, body: Body) -> "Thing":
        """The thing on this body; on one that does not say where it faces, towards x."""
        heading = np.zeros(len(body.torso)) if body.heading is None else body.heading
        return cls(carried, carried.at(body.torso, heading), heading, body.presence)

    def strength(self, link: Link) -> Floats:
        """Square root of its radar cross section on this link ``[time]``, metres."""
        ends = link.transmitter.centre, link.receiver.centre
        return self.presence * self.carried.strength(self.place, self.heading, *ends, link.wavelength_m)

    def unblocked(self, link: Link) -> Floats:
        """Share 0..1 of each first-order path's amplitude that passes it ``[time, image]``.

        What it takes is its share of the first Fresnel zone in the middle of the link.
        """
        apart = float(np.linalg.norm(link.transmitter.centre - link.receiver.centre))
        zone_m2 = np.pi * link.wavelength_m * apart / 4
        covers = min(1.0, self.carried.width_m * self.carried.height_m / zone_m2)
        middle, half = self.place[:, None, 2], self.carried.height_m / 2 + _NARROW_M
        return link.unblocked(
            self.place[:, None],
            self.presence[:, None],
            radius_m=max(self.carried.width_m / 2, _NARROW_M),
            depth=self.carried.opacity * covers,
            reach=(middle - half, middle + half),
        )

    def late(self, absorption: float) -> Floats:
        """Share of the late reflections' amplitude that it leaves ``[time]``; a body takes `absorption`."""
        share = absorption * self.carried.absorbs_m2 / _BODY_AREA_M2
        return np.asarray(1 - min(share, 0.5) * self.presence, np.float64)


def obstructed(
    scene: Scene, share: Complex, blockable: Complex, bodies: Sequence[Body], things: Sequence[Thing]
) -> Complex:
    """Static channel behind the bodies and things, ``[time, subcarrier, rx, tx]``.

    Args:
        scene: whose channel it is.
        share: factor of each first-order path before anything is in its way ``[time, image]``.
        blockable: those paths, ``[image, subcarrier * rx * tx]``.
        bodies: who is inside.
        things: what they carry.
    """
    link, crowd = scene.link, scene.crowd
    late = np.ones(len(share), np.float32)
    if bodies:
        presence = np.stack([body.presence for body in bodies], axis=1)
        share = share * _passed(scene, bodies, presence).astype(np.float32)
        late = np.prod(1 - crowd.absorption * presence, axis=1).astype(np.float32)
    for thing in things:
        share = share * thing.unblocked(link).astype(np.float32)
        late = late * thing.late(crowd.absorption).astype(np.float32)
    # einsum, not @: a product this small is slower on every core of a BLAS than on one without it.
    blocked = np.einsum("ti,ic->tc", share, blockable, optimize=False)
    channel: Complex = blocked.reshape(len(share), *link.diffuse.shape)
    channel += late[:, None, None, None] * link.diffuse
    return channel


def _passed(scene: Scene, bodies: Sequence[Body], presence: Floats) -> Floats:
    """Share of each path that passes the bodies; one without a top reaches from floor to ceiling."""
    torso = np.stack([body.torso for body in bodies], axis=1)
    reach = None
    if any(body.top is not None for body in bodies):
        endless = np.full(len(torso), 1e3)
        high = np.stack([endless if body.top is None else body.top for body in bodies], axis=1)
        low = np.stack([-endless if body.top is None else 0 * endless for body in bodies], axis=1)
        reach = (low, high)
    return scene.link.unblocked(
        torso, presence, radius_m=BODY_RADIUS_M, depth=scene.crowd.blocking, reach=reach
    )
