"""Privacy pause of a room: by hand, by a schedule, or both. While it holds nothing is computed or stored."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from service.rooms.schedule import Occurrence, Schedule

PAUSED: Final = "paused"
"""Reason of states, and of what is refused, while a room is paused."""


class Hold(NamedTuple):
    """A pause that holds: since when, until when (None: until somebody resumes), and by what."""

    from_ns: int
    until_ns: int | None
    by: Literal["hand", "schedule"]


@dataclass(frozen=True, slots=True)
class Pause:
    """What was said about pausing a room.

    Attributes:
        from_ns: when somebody paused it; None: nobody did, or it was resumed since.
        until_ns: when that ends by itself; None: never.
        schedule: when it is paused again and again.
        resumed_ns: what the schedule began before this was ended by hand.
    """

    from_ns: int | None = None
    until_ns: int | None = None
    schedule: Schedule | None = None
    resumed_ns: int = 0

    def at(self, now_ns: int) -> Hold | None:
        """The pause that holds now; of two the one that lasts longer."""
        if self.from_ns is not None and self.until_ns is None:
            return Hold(self.from_ns, None, "hand")
        held = []
        if self.from_ns is not None and self.until_ns is not None and now_ns < self.until_ns:
            held.append(Hold(self.from_ns, self.until_ns, "hand"))
        if self.schedule is not None:
            there = self.schedule.at(now_ns, begun_since_ns=self.resumed_ns)
            held += [] if there is None else [Hold(there.from_ns, there.to_ns, "schedule")]
        return max(held, key=lambda hold: hold.until_ns or 0, default=None)

    def next(self, now_ns: int) -> Occurrence | None:
        """When the schedule next begins a pause."""
        return None if self.schedule is None else self.schedule.next_after(now_ns)
