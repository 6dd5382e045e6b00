"""The worker as a process: opens everything, runs until told to stop, leaves nothing half done."""

from collections.abc import Callable

import structlog

from models.sensing import Sensing
from models.zoo import CardError
from service.bus.registry import curve_folder, open_ingest, open_signals
from service.errors import ServiceError
from service.lock import only_one
from service.settings import Settings
from service.store.engine import open_store
from service.store.enroll import seed
from service.worker.loop import Worker

_log = structlog.get_logger(__name__)


def run_worker(settings: Settings, stop: Callable[[], bool]) -> None:
    """Run the worker of a site until `stop`.

    Raises:
        ServiceError: another worker runs, or store, bus or models cannot be opened.
    """
    with only_one(settings.socket_dir, "worker"):
        store = open_store(settings.store_url)
        try:
            seed(store, settings)
            with (
                open_signals(settings, "worker") as signals,
                open_ingest(settings.ingest.endpoint, curve_folder(settings)) as ingest,
            ):
                sensing = _load(settings)
                worker = Worker(settings, store, ingest=ingest, signals=signals, sensing=sensing)
                worker.start()
                _log.info(
                    "worker_started", endpoint=settings.ingest.endpoint, rooms=len(worker.building.rooms)
                )
                worker.run(stop)
                _log.info("worker_stopped", **worker.counters)
        finally:
            store.close()


def _load(settings: Settings) -> Sensing:
    try:
        return Sensing.load(settings.models.shelves, settings.local_shelf)
    except CardError as error:
        raise ServiceError(f"cannot load the models of {settings.models.shelves}: {error}") from error
