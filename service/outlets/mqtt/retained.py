"""What the broker is to keep, and what of it has to be sent: news at once, the rest before it expires."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

RENEWALS: Final = 3
"""What expires is sent this many times within its life: two may be lost or late."""


@dataclass(frozen=True, slots=True)
class Retained:
    """A retained message.

    Attributes:
        topic: where it is kept.
        payload: its text.
        essence: it is sent at once when this differs from what was sent last; the rest of the payload (times,
            a probability that moves with every window) may wait for the next renewal.
        expires_s: after so many seconds without renewal the broker forgets it (MQTT 5); None: never.
    """

    topic: str
    payload: str
    essence: str
    expires_s: int | None = None


class Ledger:
    """What this connection has sent, and what the broker holds from before."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[str, float]] = {}
        self._there: set[str] = set()

    def found(self, topic: str) -> None:
        """The broker holds something under this topic."""
        self._there.add(topic)

    def send_all(self) -> None:
        """Somebody may have missed what was sent: all of it is due again."""
        self._sent.clear()

    def due(self, wanted: Iterable[Retained], now_s: float) -> list[Retained]:
        """Those that are news, or must be renewed now."""
        return [one for one in wanted if self._is_due(one, now_s)]

    def gone(self, wanted: Sequence[Retained]) -> list[str]:
        """Topics under which the broker keeps something that is true no more."""
        return sorted(self._there - {one.topic for one in wanted})

    def took(self, sent: Iterable[Retained], now_s: float) -> None:
        """The broker has these."""
        for one in sent:
            self._sent[one.topic] = one.essence, now_s
            self._there.add(one.topic)

    def cleared(self, topics: Iterable[str]) -> None:
        """The broker has nothing under these any more."""
        for topic in topics:
            self._there.discard(topic)
            self._sent.pop(topic, None)

    def _is_due(self, one: Retained, now_s: float) -> bool:
        essence, sent_s = self._sent.get(one.topic, (None, 0.0))
        if essence != one.essence:
            return True
        return one.expires_s is not None and now_s - sent_s >= one.expires_s / RENEWALS
