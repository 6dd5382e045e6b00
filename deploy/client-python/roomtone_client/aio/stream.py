"""The alert stream, for asyncio."""

from collections.abc import AsyncIterator

from roomtone_client.aio.base import AsyncCaller
from roomtone_client.aio.stream_loop import events_of
from roomtone_client.api import Names
from roomtone_client.documents import Event, Severity, Snapshot
from roomtone_client.follow import Follower


class AsyncStreamCalls(AsyncCaller):
    """The alert stream."""

    def stream(
        self,
        *,
        rooms: Names | None = None,
        types: Names | None = None,
        min_severity: Severity | None = None,
        after: int | None = None,
    ) -> AsyncIterator[Event | Snapshot]:
        """Events as they happen, for ever: it reconnects by itself and goes on where it was.

        It begins with a `Snapshot` of how things stand, or, with `after`, with the first event after it.
        A `Snapshot` later on means that events were missed for good (retention). No event comes twice.

        Args:
            rooms: these alone.
            types: full types, or families such as ``alert``.
            min_severity: of alerts.
            after: number of the last event the caller has (`Event.number`).

        Raises:
            StreamRefusedError: the subscription does not fit, or the key ended.
            ApiError: the service refused the connection.
            ConnectionFailedError: nobody vouches for the service's certificate.
        """
        follower = Follower(rooms, types, min_severity, after, self._retry)
        return events_of(self._url, self._key, self._verify, follower)
