"""When the last events are sent to a peer again, and from which on; the reader of the log does it.

A broker says that it has an event and may lose it all the same: one that is killed forgets what it only had
in memory, and who had subscribed. So what was delivered lately is sent again, with the same ids, in order:
after a connect, once more a while after it, for subscribers who come back later than we do, and whenever one
says that it is back. A peer that has no subscribers of its own needs it only after a break. The cursor stays
where it is.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from service.store.eventlog import StoredEvent


@dataclass(frozen=True, slots=True)
class Reach:
    """How much is sent again, and how often.

    Attributes:
        count: of the last events that are sent there at most so many; 0: none.
        age_s: what was delivered within so many seconds; time without a connection does not count.
        gap_s: so long after a connect it is done once more; two times are never closer than this, however
            often a connection breaks or a subscriber says that it is back.
        breaks_only: after a break alone: neither at the start of a process nor once more later.
    """

    count: int
    age_s: float
    gap_s: float
    breaks_only: bool = False


class Resend:
    """What was delivered lately, as numbers of the log, and when it is due again; times are monotonic.

    `fits` says which events the outlet sends at all: what it passes over must not count as sent again.
    """

    def __init__(self, reach: Reach, fits: Callable[[StoredEvent], bool] = lambda _: True) -> None:
        self.reach, self.fits = reach, fits
        self._pages: deque[tuple[float, int]] = deque()
        self._wanted: list[float] = []
        self._done_s = -math.inf
        self._lost_s: float | None = None

    @property
    def on(self) -> bool:
        """Whether anything is ever sent again."""
        return self.reach.count > 0

    def connected(self, now_s: float) -> None:
        """There is a connection: what was delivered over the last one is as young as when that broke."""
        if self._lost_s is not None:
            away_s, self._lost_s = now_s - self._lost_s, None
            self._pages = deque((at_s + away_s, after) for at_s, after in self._pages)
        self._wanted = [now_s] if self.reach.breaks_only else [now_s, now_s + self.reach.gap_s]

    def lost(self, now_s: float) -> None:
        """The connection is over."""
        self._lost_s = now_s

    def want(self, now_s: float) -> None:
        """Somebody came who may have missed the last ones."""
        if not self._wanted or min(self._wanted) > now_s:
            self._wanted.append(now_s)

    def delivered(self, after: int, now_s: float) -> None:
        """The peer says that it has a page of events, those that follow this number."""
        if self.on:
            self._pages.append((now_s, after))
            self._forget(now_s)

    def take(self, now_s: float) -> int | None:
        """The number after which events are to be sent again now; None: nothing is."""
        if not self._wanted or min(self._wanted) > now_s or now_s - self._done_s < self.reach.gap_s:
            return None
        self._wanted = [due_s for due_s in self._wanted if due_s > now_s]
        self._forget(now_s)
        if not self._pages:
            return None
        self._done_s = now_s
        return self._pages[0][1]

    def _forget(self, now_s: float) -> None:
        while self._pages and now_s - self._pages[0][0] > self.reach.age_s:
            self._pages.popleft()
