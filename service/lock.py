"""A lock that makes a process the only one of its part; the system frees it if the process dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import ServiceError


@contextmanager
def only_one(folder: Path, part: str) -> Iterator[None]:
    """Hold the lock ``PART.lock`` in `folder`.

    Raises:
        ServiceError: another process of that part runs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{part}.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ServiceError(
                f"the part '{part}' of this site runs already (process {lock.read().strip() or 'unknown'}, "
                f"{path}); stop it, or use another --data-dir"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
