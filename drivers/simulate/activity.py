"""What people do, and what the body may and must do meanwhile."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Posture(IntEnum):
    """How a body is held."""

    UPRIGHT = 0
    SEATED = 1
    LYING = 2


class Activity(StrEnum):
    """What somebody does; `VACANT` is not to be in the room."""

    VACANT = "vacant"
    WALKING = "walking"
    STROLLING = "strolling"
    STANDING = "standing"
    WAVING = "waving"
    SIT_DOWN = "sit_down"
    SITTING = "sitting"
    STAND_UP = "stand_up"
    FALLING = "falling"
    LYING = "lying"


@dataclass(frozen=True, slots=True)
class Manner:
    """What an activity asks of a body.

    Attributes:
        before: postures in which it can begin.
        after: posture in which it ends.
        pace: share of walking speed.
        sway_m: how far the body sways.
        gesture_m: how far the arms move.
        wave_m: how far one raised arm swings to either side.
        least_s: a shorter one is not possible.
    """

    before: tuple[Posture, ...] = (Posture.UPRIGHT,)
    after: Posture = Posture.UPRIGHT
    pace: float = 0.0
    sway_m: float = 0.0
    gesture_m: float = 0.0
    wave_m: float = 0.0
    least_s: float = 0.5


_UP, _SEAT, _LIE = Posture.UPRIGHT, Posture.SEATED, Posture.LYING
MANNERS = {
    Activity.WALKING: Manner(pace=1.0, sway_m=0.012, gesture_m=0.05),
    Activity.STROLLING: Manner(pace=0.4, sway_m=0.012, gesture_m=0.05),
    Activity.STANDING: Manner(sway_m=0.008, gesture_m=0.03),
    Activity.WAVING: Manner(sway_m=0.008, wave_m=0.3, least_s=1.0),
    Activity.SIT_DOWN: Manner(after=_SEAT, sway_m=0.004, least_s=1.5),
    Activity.SITTING: Manner((_SEAT,), _SEAT),
    Activity.STAND_UP: Manner((_SEAT, _LIE), sway_m=0.004, least_s=1.5),
    Activity.FALLING: Manner(after=_LIE, least_s=1.0),
    Activity.LYING: Manner((_LIE,), _LIE),
}
"""Every activity of somebody who is there."""

GET_UP_S = 2.5
"""Shortest time in which somebody gets up from the floor."""
ON_FOOT = (Activity.WALKING, Activity.STROLLING)
"""How people come and go."""
