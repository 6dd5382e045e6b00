"""All outlets of a site, a task each: one that hangs delays nobody else."""

import asyncio
from collections.abc import Callable

from models.prediction import JsonValue
from service.outlets.follow import Follower
from service.outlets.port import Outlet

STOP_WITHIN_S = 3.0


class Fleet:
    """Outlets that run; may grow and shrink while it does."""

    def __init__(self, follow: Callable[[Outlet], Follower]) -> None:
        self._follow = follow
        self._running: dict[str, tuple[Follower, asyncio.Task[None]]] = {}

    def add(self, outlet: Outlet) -> None:
        """Begin to feed an outlet."""
        follower = self._follow(outlet)
        self._running[outlet.name] = (follower, asyncio.create_task(follower.run(), name=outlet.name))

    async def remove(self, name: str) -> None:
        """Stop feeding the outlet of that name; returns when it has said good-bye, or was too slow to."""
        _, task = self._running.pop(name)
        task.cancel()
        await asyncio.wait([task], timeout=STOP_WITHIN_S)

    async def close(self) -> None:
        """Stop all, side by side."""
        await asyncio.gather(*(self.remove(name) for name in list(self._running)))

    def report(self) -> dict[str, JsonValue]:
        """Where each outlet stands; from any thread."""
        return {name: follower.report() for name, (follower, _) in list(self._running.items())}
