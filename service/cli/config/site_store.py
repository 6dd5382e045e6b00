"""The store of the site that a command's options name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.cli.errors import CommandError
from service.cli.site import site_settings
from service.store.engine import Store, open_store


@contextmanager
def opened(config: Path | None, data_dir: Path | None, *, existing: bool = True) -> Iterator[Store]:
    """The store, closed at the end; with `existing` none is made.

    Raises:
        CommandError: there is none.
        StoreError: it cannot be opened.
    """
    settings = site_settings(config, data_dir=data_dir)
    if existing and settings.store.url is None and not settings.store_file.exists():
        raise CommandError(f"no store at {settings.store_file}: is --data-dir the one of the service?")
    store = open_store(settings.store_url)
    try:
        yield store
    finally:
        store.close()
