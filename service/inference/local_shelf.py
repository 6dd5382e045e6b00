"""The shelf `local` of a running site: models that are added serve without a restart.

A model comes there by the renaming of its folder, whole or not at all, which changes the time of the shelf.
"""

import logging

from models.sensing import Sensing
from models.zoo import LOCAL, CardError
from service.settings import Settings

_log = logging.getLogger(__name__)


class LocalShelf:
    """Sees changes; each reader has one of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.models
        self._folder = settings.local_shelf
        self._seen = self._stamp()

    def changed(self) -> bool:
        """Whether models came or went since this was last asked."""
        before, self._seen = self._seen, self._stamp()
        return self._seen != before

    def news(self) -> Sensing | None:
        """All models of the site, when some came or went; None if not, or if one is damaged (logged)."""
        if not self.changed():
            return None
        try:
            sensing = Sensing.load(self._settings.shelves, self._folder)
        except (CardError, OSError) as error:
            _log.error("models are served as before, since the shelves cannot be read: %s", error)
            return None
        _log.info("models were read again: %s", ", ".join(card.name for card in sensing.cards()))
        return sensing

    def _stamp(self) -> int:
        """Time of the last change of the folder; 0 where there is none, or nobody loads it."""
        if LOCAL not in self._settings.shelves:
            return 0
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0
