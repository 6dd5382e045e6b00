"""What `roomtone run` says to the person who started it. It goes to standard output."""

import os
import sys
from pathlib import Path

from rich.console import Console

from service.store.engine import Store
from service.store.keys import ensure_first_admin
from service.store.sessions import login_url

FIRST_KEY = "first-admin-key"
"""File in the data folder that holds the first key where standard output may be a log."""


class Welcome:
    """Prints the login address once, when there is something to log in to."""

    def __init__(self, store: Store, base: str) -> None:
        self._store, self._base, self._done = store, base, False

    def at_first_beat(self, part: str) -> None:
        """Called at the first heartbeat of each part."""
        if part != "api" or self._done:
            return
        self._done = True
        address = login_url(self._store, self._base)
        _say(f"Roomtone runs at {self._base}. Open the dashboard (once, within 15 minutes):\n  {address}")


def show_first_key(store: Store, data_dir: Path) -> None:
    """On a store without keys, make the first one and show it this once: on a screen, never in a log."""
    key = ensure_first_admin(store)
    if key is None:
        return
    if sys.stdout.isatty():
        _say(f"First admin key, shown this once:\n  {key}")
        return
    place = data_dir.absolute() / FIRST_KEY
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key + "\n")
    _say(f"First admin key: in {place}. Read it and delete the file.")


def _say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
