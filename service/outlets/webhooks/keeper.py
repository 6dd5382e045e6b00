"""Keeps as many webhooks running as the store says, while it changes."""

import asyncio
from typing import Any, Final

import sqlalchemy as sa
import structlog

from service.outlets.fleet import Fleet
from service.outlets.webhooks.outlet import WebhookOutlet
from service.outlets.webhooks.shop import Shop
from service.store.webhooks import ENABLED, StoredWebhook, begin_replay, list_webhooks

LOOK_S: Final = 1.0
_log = structlog.get_logger(__name__)


class Keeper:
    """Adds, removes, changes and rewinds webhooks; all but `wake` belongs to the event loop's thread."""

    def __init__(self, shop: Shop, fleet: Fleet) -> None:
        self._shop, self._fleet = shop, fleet
        self._running: dict[str, dict[str, Any]] = {}
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """Webhooks changed; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Follow the store until cancelled; one that does not answer is asked again."""
        while True:
            self._woken.clear()
            try:
                await self._follow(await asyncio.to_thread(list_webhooks, self._shop.store))
            except sa.exc.SQLAlchemyError as error:
                _log.warning("webhooks_unreadable", reason=type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _follow(self, stored: list[StoredWebhook]) -> None:
        wanted = {one.webhook: one for one in stored if one.state == ENABLED}
        rewound = {name for name, one in wanted.items() if one.replay_after is not None}
        unchanged = {name for name, one in wanted.items() if one.doc == self._running.get(name)}
        for name in set(self._running) - (unchanged - rewound):
            await self._fleet.remove(f"webhook:{name}")
            del self._running[name]
        for name in rewound:
            await asyncio.to_thread(begin_replay, self._shop.store, name)
        for name in set(wanted) - set(self._running):
            self._fleet.add(WebhookOutlet(wanted[name], self._shop))
            self._running[name] = wanted[name].doc
