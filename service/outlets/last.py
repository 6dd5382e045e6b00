"""The last events that are sent somewhere, found from the end of the log."""

from collections.abc import Callable
from typing import Final

from service.store.engine import Store
from service.store.eventlog import StoredEvent, read_last

PAGE: Final = 1000
LOOKED_THROUGH: Final = 100_000
"""No more events are read, whatever is found: an outlet waits meanwhile."""


def read_last_fitting(
    store: Store, fits: Callable[[StoredEvent], bool], *, after: int, up_to: int, limit: int
) -> list[StoredEvent]:
    """The newest `limit` events that fit, with a number above `after` and not above `up_to`, in order."""
    oldest = max(after, up_to - LOOKED_THROUGH)
    newest_first: list[StoredEvent] = []
    while len(newest_first) < limit and up_to > oldest:
        page = read_last(store, after=oldest, up_to=up_to, limit=PAGE)
        newest_first += [event for event in reversed(page) if fits(event)]
        up_to = page[0].sequence - 1 if page else oldest
    return newest_first[:limit][::-1]
