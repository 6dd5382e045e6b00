"""The view of the site that outlets show: read once a second at most, and only when one wants it."""

import asyncio
import time
from typing import Final

from service.outlets.port import LinkView, RoomView, SiteView
from service.store.engine import Store
from service.store.eventlog import site_id
from service.store.states import read_states
from service.view.leaving import leaving, may_leave_from
from service.view.links import link_status
from service.view.overlay import Now, told_states
from service.view.watch import Watch

EVERY_S: Final = 1.0


class Views:
    """Gives every outlet the same view."""

    def __init__(self, store: Store, watch: Watch, *, allow_non_live: bool) -> None:
        self._store, self._watch, self._allow = store, watch, allow_non_live
        self._site = site_id(store)
        self._lock = asyncio.Lock()
        self._newest: SiteView | None = None
        self._read_s = 0.0

    async def current(self) -> SiteView:
        """The site as it is told now, at most a second old.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the store does not answer.
        """
        async with self._lock:
            if self._newest is None or time.monotonic() - self._read_s >= EVERY_S:
                self._newest = await asyncio.to_thread(self._read)
                self._read_s = time.monotonic()
            return self._newest

    def _read(self) -> SiteView:
        watch = self._watch
        now = Now(time.time_ns(), watch.worker_up, watch.worker_last_ns, watch.newest_received_ns())
        rooms = tuple(
            RoomView(
                room.record,
                [leaving(state, allow_non_live=self._allow) for state in told_states(room, now)],
                {link: self._link(link, now) for link in room.record.config.links},
            )
            for room in read_states(self._store)
        )
        return SiteView(self._site, rooms, now.worker_up, now.time_ns, self._allow)

    def _link(self, link: str, now: Now) -> LinkView:
        facts = self._watch.links.get(link)
        source = (facts or {}).get("source")
        if not now.worker_up or not may_leave_from(source, allow_non_live=self._allow):
            return LinkView("unknown")
        return LinkView(link_status(facts, now.time_ns), self._watch.drift.get(link))
