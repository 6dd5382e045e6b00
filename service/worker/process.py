"""The worker as a process: opens everything, runs until told to stop, leaves nothing half done."""

import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from models.sensing import Sensing
from models.zoo import CardError
from service.bus.registry import curve_folder, open_ingest, open_signals
from service.errors import ServiceError
from service.lock import only_one
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.enroll import seed
from service.store.part import only_part
from service.worker.loop import Worker
from service.worker.retention import Broom

_AGAIN_S = 0.5
_log = structlog.get_logger(__name__)


def run_worker(settings: Settings, stop: Callable[[], bool]) -> None:
    """Run the worker of a site until `stop`.

    Raises:
        ServiceError: another worker runs, or store, bus or models cannot be opened.
    """
    with only_one(settings.socket_dir, "worker"):
        store = open_store(settings.store_url)
        try:
            with only_part(store, "worker") as keep:
                seed(store, settings)
                _serve(settings, store, keep, stop)
        finally:
            store.close()


def _serve(settings: Settings, store: Store, keep: Callable[[], None], stop: Callable[[], bool]) -> None:
    """Run workers one after the other: one that lost its database half way through a turn is replaced.

    Senders notice that as they notice a restart, and send again what was not acknowledged.
    """

    def over() -> bool:
        keep()
        return stop()

    with (
        open_signals(settings, "worker") as signals,
        open_ingest(settings.ingest.endpoint, curve_folder(settings)) as ingest,
        Broom(store, settings.retention),
    ):
        sensing, trouble = _load(settings), ""
        while not stop():
            try:
                worker = Worker(settings, store, ingest=ingest, signals=signals, sensing=sensing)
                worker.start()
                _log.info(
                    "worker_started", endpoint=settings.ingest.endpoint, rooms=len(worker.building.rooms)
                )
                trouble = ""
                worker.run(over)
                _log.info("worker_stopped", **worker.counters)
            except sa.exc.OperationalError as error:
                reason = str(error.orig).strip()
                if reason != trouble:  # said once while it lasts
                    _log.error("worker_starts_over", reason=reason)
                trouble = reason
                time.sleep(_AGAIN_S)


def _load(settings: Settings) -> Sensing:
    try:
        return Sensing.load(settings.models.shelves, settings.local_shelf)
    except CardError as error:
        raise ServiceError(f"cannot load the models of {settings.models.shelves}: {error}") from error
