"""Tickets: a browser cannot set headers on a WebSocket, so it swaps its session for a one-use password."""

import secrets
import time
from collections.abc import Callable

from service.store.keys import Principal

TICKET_S = 30.0
_MAX_TICKETS = 10_000


class Tickets:
    """Tickets of this process; each is good once and for `TICKET_S`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[Principal, float]] = {}

    def issue(self, principal: Principal) -> str:
        """A new ticket with the rights of `principal`; the oldest make room when there are too many."""
        self._forget_old()
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = (principal, self._clock() + TICKET_S)
        return ticket

    def redeem(self, ticket: str) -> Principal | None:
        """Whose ticket it is, once; None if it is unknown, used or over."""
        principal, ends = self._open.pop(ticket, (None, 0.0))
        return principal if self._clock() < ends else None

    def _forget_old(self) -> None:
        now = self._clock()
        while self._open:
            oldest = next(iter(self._open))  # in order of issue, so of ending
            if self._open[oldest][1] > now and len(self._open) < _MAX_TICKETS:
                return
            del self._open[oldest]
