"""COV notices on their way: one at a time for each client, the newest of each subscription.

The library sends all at once: a building that changes as one would overrun its panels' buffers, and with more
than 256 confirmed notices under way to one client it looks for a free invoke id for ever.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from bacpypes3.apdu import ErrorRejectAbortNack

PACE_S: Final = 0.001
"""Between unconfirmed notices to one client, which has no other way to say that it is slow."""
ANSWER_WITHIN_S: Final = 20.0
"""For a confirmed notice; the library's own tries end before."""


class Notices:
    """Queues of notices, one a client; belongs to the event loop's thread.

    Args:
        request: sends a request; a future that holds the answer.
    """

    def __init__(self, request: Callable[[Any], "asyncio.Future[Any]"]) -> None:
        self._request = request
        self._waiting: dict[Any, dict[Any, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, subscription: Any, notice: Any) -> None:  # noqa: ANN401 - the library has no types
        """Send this notice in its turn, in place of an older one of the same subscription."""
        client = subscription.client_addr
        if client not in self._waiting:
            self._waiting[client] = {}
            task = asyncio.create_task(self._send_all(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting[client][subscription] = notice

    def close(self) -> None:
        """Send no more."""
        for task in self._tasks:
            task.cancel()

    async def _send_all(self, client: Any) -> None:  # noqa: ANN401 - the library has no types
        waiting = self._waiting[client]
        while waiting:
            subscription = next(iter(waiting))
            notice = waiting.pop(subscription)
            if subscription.obj_ref is not None:  # it was not cancelled meanwhile
                await self._send(notice, confirmed=subscription.confirmed)
        del self._waiting[client]

    async def _send(self, notice: Any, *, confirmed: bool) -> None:  # noqa: ANN401 - the library has no types
        answered = self._request(notice)
        if not confirmed:
            await asyncio.sleep(PACE_S)
            return
        try:
            await asyncio.wait_for(answered, ANSWER_WITHIN_S)
        except (ErrorRejectAbortNack, TimeoutError):
            return  # who does not answer is told of the next change; its subscription ends by its lifetime
