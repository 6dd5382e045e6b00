"""The trainer as a process: opens everything, beats, runs jobs until told to stop."""

import os
import queue
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from models.adapt import available, has_torch
from models.prediction import JsonValue
from models.sensing import Sensing
from models.signal.window import WindowSpec
from models.zoo import CardError
from service.bus.registry import open_signals
from service.errors import ServiceError
from service.inference.local_shelf import LocalShelf
from service.settings import Settings
from service.store.engine import open_store
from service.store.part import only_part
from service.trainer.adaptation import Shop
from service.trainer.leaving import given_back
from service.trainer.loop import Trainer

NICENESS = 10
"""Serving comes first: the worker must not wait for a training."""
IDLE_S, BEAT_S, LOOK_S = 0.25, 0.5, 0.05
_log = structlog.get_logger(__name__)


def run_trainer(settings: Settings, stop: Callable[[], bool]) -> None:
    """Run the trainer of a site until `stop`; a job that runs then waits for the next trainer.

    Raises:
        ServiceError: store, bus or models cannot be opened.
    """
    os.nice(NICENESS)
    store = open_store(settings.store_url).patient(lambda _: _again(stop))
    try:
        shelf = LocalShelf(settings)
        sensing = Sensing.load(settings.models.shelves, settings.local_shelf)
    except CardError as error:
        raise ServiceError(f"cannot load the models of {settings.models.shelves}: {error}") from error
    window = settings.window
    spec = WindowSpec(window.length_s, window.hop_s, window.lateness_s)
    over, told = threading.Event(), queue.SimpleQueue[str]()
    beating = threading.Thread(target=_beat, args=(settings, told, over), daemon=True)
    try:
        with only_part(store, "trainer") as keep:
            trainer = Trainer(Shop(store, sensing, spec, settings.adaptation), told.put, stop)
            trainer.start()
            beating.start()
            _log.info("trainer_started", torch=has_torch(), methods=available())
            with given_back(trainer, stop):
                while not stop():
                    keep()
                    if (news := shelf.news()) is not None:
                        trainer.use(news)
                    _turn(trainer)
            _log.info("trainer_stopped", **trainer.counters)
    finally:
        over.set()
        if beating.is_alive():
            beating.join()
        store.close()


def _turn(trainer: Trainer) -> None:
    """One turn; a job whose end could not be written is queued again when the store is back."""
    try:
        if not trainer.turn():
            time.sleep(IDLE_S)
    except sa.exc.OperationalError as error:
        _log.error("store_unavailable", reason=str(error.orig).strip())
        time.sleep(IDLE_S)
        trainer.start()


def _again(stop: Callable[[], bool]) -> bool:
    """The store cannot be had: whether to try again, after a while."""
    time.sleep(IDLE_S)
    return not stop()


def _beat(settings: Settings, told: "queue.SimpleQueue[str]", over: threading.Event) -> None:
    """The bus, in a thread of its own: a deep method may keep the other one busy for a minute."""
    due = 0.0
    with open_signals(settings, "trainer", listen_to=()) as signals:
        while not over.wait(LOOK_S):
            while not told.empty():
                signals.publish(told.get(), {})
            if time.monotonic() >= due:
                due = time.monotonic() + BEAT_S
                body: dict[str, JsonValue] = {
                    "part": "trainer",
                    "pid": os.getpid(),
                    "time_ns": time.time_ns(),
                    "torch": has_torch(),
                }
                signals.publish("heartbeat", body)
