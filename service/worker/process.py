"""The worker as a process: opens everything, runs until told to stop, leaves nothing half done."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from models.sensing import Sensing
from models.zoo import CardError
from service.bus.registry import curve_folder, open_ingest, open_signals
from service.errors import ServiceError
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
    with _only_worker(settings.socket_dir):
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


@contextmanager
def _only_worker(folder: Path) -> Iterator[None]:
    """Hold the lock that makes this process the only writer of states; the system frees it if we die."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "worker.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ServiceError(
                f"a worker of this site runs already (process {lock.read().strip() or 'unknown'}, {path}); "
                "stop it, or use another --data-dir"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
