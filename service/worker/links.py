"""Which links deliver: silent (never heard, or a replay that ended), up, or lost."""

LOST_AFTER_S = 10.0
"""Host time without a frame after which a link that was up is lost."""


class LinkWatch:
    """Remembers when each link was heard last, host time."""

    def __init__(self) -> None:
        self._heard: dict[str, int] = {}
        self._lost: set[str] = set()

    def expect(self, link: str, now_ns: int) -> None:
        """Take the link for up as of now, though nothing was heard yet."""
        self._heard.setdefault(link, now_ns)

    def miss(self, link: str) -> None:
        """The link was lost before we started."""
        self._lost.add(link)

    def hear(self, link: str, now_ns: int) -> bool:
        """A frame came; True if the link was lost until now."""
        self._heard[link] = now_ns
        if link not in self._lost:
            return False
        self._lost.remove(link)
        return True

    def end(self, link: str) -> None:
        """The sender said that nothing follows: its silence is no loss."""
        self._heard.pop(link, None)

    def forget(self, link: str) -> None:
        """The link is no more, or belongs elsewhere."""
        self.end(link)
        self._lost.discard(link)

    def is_up(self, link: str) -> bool:
        """Whether frames are expected of it."""
        return link in self._heard

    def newly_lost(self, now_ns: int) -> list[str]:
        """Links that have just been silent for too long; each is told once."""
        lost = [link for link, heard in self._heard.items() if now_ns - heard > LOST_AFTER_S * 1e9]
        for link in lost:
            del self._heard[link]
            self._lost.add(link)
        return lost
