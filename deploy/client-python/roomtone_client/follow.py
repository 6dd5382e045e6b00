"""The alert stream as a state: what to subscribe to, what a message means, when to come back. No I/O here."""

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from roomtone_client.documents import Event, Severity, Snapshot
from roomtone_client.errors import StreamRefusedError, UnreadableAnswerError
from roomtone_client.retry import Retry

NEWEST = 2**63 - 1
"""No event has this number: whoever asks for what comes after it is told how things stand now."""
LARGEST_MESSAGE = 64 * 1024 * 1024
PING_S = 20.0
_FOR_GOOD = frozenset({4400, 4401, 4403})
_log: Final = logging.getLogger("roomtone_client")


class Follower:
    """Remembers the last event it gave out, so that a new connection goes on where the old one broke off.

    Attributes:
        after: number of the last event; None before the first message.
    """

    def __init__(
        self,
        rooms: Sequence[str] | None,
        types: Sequence[str] | None,
        min_severity: Severity | None,
        after: int | None,
        retry: Retry,
    ) -> None:
        self._wish = {"rooms": rooms, "types": types, "min_severity": min_severity}
        self._retry, self._failures = retry, 0
        self._reset, self._refusal = "", ""
        self._told = False
        self.after = after

    def subscribe(self) -> str:
        """The first message of a connection."""
        after = NEWEST if self.after is None else self.after
        # As text: in JSON not every reader holds 63 bits.
        return msgspec.json.encode({"type": "subscribe", **self._wish, "after": str(after)}).decode()

    def take(self, message: str | bytes) -> Event | Snapshot | None:
        """What a message tells; None where it is nothing new.

        Raises:
            UnreadableAnswerError: it is not what this client knows.
        """
        self._connected()
        try:
            document = msgspec.json.decode(message, type=dict[str, Any])
            match document.get("type"):
                case "reset":
                    self._reset = str(document.get("reason", ""))
                case "snapshot":
                    return self._snapshot(document)
                case "error" | "overflow":
                    self._refusal = str(document.get("detail", ""))
                case _:
                    return self._event(msgspec.convert(document, Event))
        except (msgspec.MsgspecError, ValueError) as error:
            raise UnreadableAnswerError(f"a message of the stream: {error}") from error
        return None

    def closed(self, code: int, reason: str) -> None:
        """The connection was closed.

        Raises:
            StreamRefusedError: for good.
        """
        why, self._refusal = self._refusal or reason, ""
        if code in _FOR_GOOD:
            raise StreamRefusedError(code, why)

    def unreachable(self, error: Exception) -> None:
        """No connection came about: said once, by the logger `roomtone_client`, until one does."""
        if not self._told:
            why = str(error) or type(error).__name__
            _log.warning("no connection to the stream, trying again until there is one: %s", why)
        self._told = True

    def pause_s(self) -> float:
        """Seconds before the next connection: longer each time while nothing comes."""
        self._failures += 1
        return self._retry.pause(min(self._failures, 16))

    def _connected(self) -> None:
        if self._told:
            _log.info("connected to the stream again")
        self._told, self._failures = False, 0

    def _snapshot(self, document: dict[str, Any]) -> Snapshot:
        found = msgspec.convert(
            {**document, "reason": self._reset if self.after is not None else ""}, Snapshot
        )
        self.after = found.number
        return found

    def _event(self, event: Event) -> Event | None:
        if self.after is not None and event.number <= self.after:
            return None
        self.after = event.number
        return event
