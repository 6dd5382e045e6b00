"""The outlets of a site as a process: one reader of the log an outlet, on one event loop."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from models.prediction import JsonValue
from service.bus.line import SignalLine
from service.bus.registry import open_signals
from service.lock import only_one
from service.outlets.fleet import Fleet
from service.outlets.follow import Follower
from service.outlets.registry import build
from service.outlets.tail import Tail
from service.outlets.views import Views
from service.outlets.webhooks.keeper import Keeper
from service.outlets.webhooks.shop import Shop
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.part import only_part
from service.view.watch import Watch

PART = "outlets"
_LOOK_S = 0.1
_log = structlog.get_logger(__name__)


def run_outlets(settings: Settings, stop: Callable[[], bool]) -> None:
    """Feed the outlets of a site until `stop`.

    Raises:
        ServiceError: another such process runs, the store cannot be opened, or settings are wrong.
    """
    with only_one(settings.socket_dir, PART):
        store = open_store(settings.store_url)
        try:
            with only_part(store, PART) as keep:
                asyncio.run(_run(settings, store, keep, stop))
        finally:
            store.close()


async def _run(settings: Settings, store: Store, keep: Callable[[], None], stop: Callable[[], bool]) -> None:
    watch, tail = Watch(), Tail(store)
    allow = settings.outlets.allow_non_live
    views = Views(store, watch, allow_non_live=allow)
    fleet = Fleet(lambda outlet: Follower(outlet, store, tail, views, allow_non_live=allow))
    outlets = build(settings, store)
    keeper = Keeper(Shop.open(settings, store), fleet) if settings.outlets.webhooks.enabled else None
    line = _line(settings, watch, tail, keeper, fleet)
    line.start()
    tasks = [asyncio.create_task(part.run()) for part in (tail, keeper) if part is not None]
    try:
        for outlet in outlets:
            fleet.add(outlet)
        _log.info("outlets_started", outlets=[outlet.name for outlet in outlets])
        while not stop():
            await asyncio.to_thread(keep)
            await asyncio.sleep(_LOOK_S)
            for task in tasks:
                if task.done():  # they never end by themselves: a bug, and the supervisor starts us again
                    task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await fleet.close()
        await asyncio.to_thread(line.stop)
        _log.info("outlets_stopped")


def _line(settings: Settings, watch: Watch, tail: Tail, keeper: Keeper | None, fleet: Fleet) -> SignalLine:
    """The line to the bus: who is heard, what wakes us, what our heartbeat tells."""

    def on_signal(topic: str, body: Mapping[str, JsonValue]) -> None:
        if topic == "heartbeat":
            watch.hear(body)
        elif topic == "events":
            tail.wake()
        elif topic == "webhooks" and keeper is not None:
            keeper.wake()

    return SignalLine(
        lambda: open_signals(settings, PART),
        on_signal,
        part=PART,
        more=lambda: {"outlets": fleet.report()},
    )
