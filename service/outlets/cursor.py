"""Where an outlet stands in the log: moved in memory at once, written so soon that little comes twice."""

import time
from typing import Final

from service.outlets.threads import finish
from service.store.engine import Store
from service.store.outlets import cursors, open_cursor, save_cursor

SAVE_S: Final = 0.5
SAVE_IDLE_S: Final = 5.0
SAVE_EVENTS: Final = 100
"""After a crash at most so many events come again, and those of the page that was under way."""


class Cursor:
    """Written every half second while events are delivered, or every hundred; else every five seconds.

    Where none of the new events concerns the peer nothing would come twice, so that is not worth a write.

    Attributes:
        position: the newest event that the peer has; None until opened.
        known: whether the outlet ran before this process.
    """

    def __init__(self, store: Store, outlet: str) -> None:
        self._store, self._outlet = store, outlet
        self._saved, self._saved_s = 0, 0.0
        self._delivered = False
        self.position: int | None = None
        self.known = False

    async def open(self) -> int:
        """The position, read from the store the first time."""
        if self.position is None:
            self.known = self._outlet in await finish(cursors, self._store)
            self.position = self._saved = await finish(open_cursor, self._store, self._outlet)
        return self.position

    async def move(self, to: int, *, delivered: bool) -> None:
        """The peer has everything up to `to`; `delivered`: some of it was sent."""
        self.position = to
        self._delivered |= delivered
        await self.save_if_due()

    async def save_if_due(self) -> None:
        """Write the position if it is time."""
        age_s = time.monotonic() - self._saved_s
        many = (self.position or 0) - self._saved >= SAVE_EVENTS
        if (self._delivered and (many or age_s >= SAVE_S)) or age_s >= SAVE_IDLE_S:
            await self.save()

    async def save(self) -> None:
        """Write the position now, unless it stands there already."""
        if self.position is not None and self.position != self._saved:
            position = self.position
            await finish(save_cursor, self._store, self._outlet, position)
            self._saved = position
        self._saved_s, self._delivered = time.monotonic(), False
