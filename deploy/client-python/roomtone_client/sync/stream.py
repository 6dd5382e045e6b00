"""The alert stream, for threads."""

from collections.abc import Iterator

from roomtone_client.api import Names
from roomtone_client.documents import Event, Severity, Snapshot
from roomtone_client.follow import Follower
from roomtone_client.sync.base import Caller
from roomtone_client.sync.stream_loop import events_of


class StreamCalls(Caller):
    """The alert stream."""

    def stream(
        self,
        *,
        rooms: Names | None = None,
        types: Names | None = None,
        min_severity: Severity | None = None,
        after: int | None = None,
    ) -> Iterator[Event | Snapshot]:
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
