"""Good keys of the last moment, so that most requests ask the store nothing about who sent them.

A key that this process revokes is forgotten at once; one that another process revokes (a command, another
API) within `KEPT_S` of its last look-up. A key's own end is kept to the moment. What is no good is never
remembered: it is looked up, and counted, each time.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from service.store.engine import Store
from service.store.keys import Principal, authenticate

KEPT_S: Final = 1.0
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    """Who holds a key, as of a look-up that began at `asked_s` (the clock's)."""

    principal: Principal
    asked_s: float


class KnownKeys:
    """Keys of this process by their hash, the latest to be used last; may be asked from several threads."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store, self._clock, self._now_ns = store, clock, now_ns
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()

    def find(self, key: str) -> Principal | None:
        """Who holds it, if that is known; never asks the store."""
        hashed = _hash(key)
        with self._lock:
            known = self._known.get(hashed)
            if known is None:
                return None
            if self._clock() - known.asked_s >= KEPT_S or not known.principal.holds(self._now_ns()):
                del self._known[hashed]
                return None
            self._known.move_to_end(hashed)
            return known.principal

    def look_up(self, key: str) -> Principal | None:
        """Who holds it, by the store, which may take a while; a good one is known from then on.

        Raises:
            sqlalchemy.exc.OperationalError: the store does not answer.
        """
        with self._lock:
            asked_s, changes = self._clock(), self._changes
        principal = authenticate(self._store, key)
        with self._lock:
            # What was read before a change must not outlive it.
            if principal is not None and changes == self._changes:
                self._known[_hash(key)] = _Known(principal, asked_s)
                if len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return principal

    def forget(self) -> None:
        """Keys were changed, which is in the store by now: look all of them up again."""
        with self._lock:
            self._changes += 1
            self._known.clear()


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
