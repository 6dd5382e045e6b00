"""Leaving in order: the job that runs is given back, however long its method still takes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
import structlog

from service.trainer.loop import Trainer

LOOK_S: Final = 0.05
_log = structlog.get_logger(__name__)


@contextmanager
def given_back(trainer: Trainer, stop: Callable[[], bool]) -> Iterator[None]:
    """Inside of it `stop` gives the trainer's job back at once, and leaving does so once more.

    A thread does it: a deep method may outlast the seconds after which we are killed.
    """
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(trainer, stop, over), daemon=True)
    looking.start()
    try:
        yield
        _give_back(trainer)
    finally:
        over.set()
        looking.join()


def _look(trainer: Trainer, stop: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(LOOK_S):
        if stop():
            _give_back(trainer)
            return


def _give_back(trainer: Trainer) -> None:
    """Without a store the next trainer takes the job for broken, and counts this try."""
    try:
        trainer.give_back()
    except sa.exc.OperationalError as error:
        _log.error("store_unavailable", reason=str(error.orig).strip())
