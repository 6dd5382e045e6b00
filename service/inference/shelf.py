"""Finds models by name and version, loads them when first asked for, and keeps the ones used last.

A model of a shelf is asked by its card's name, its version is the card's. A room's own head is
``<task>@<room>``, its version the number in the room's list; without one the active version answers.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from models.bare import bare
from models.runtime import Backbone, Base, RoomModel
from models.zoo import Card, CardError, find_model
from service.inference.refusal import InferenceRefusal
from service.inference.served import RoomHeadModel, Served, ShelfModel
from service.settings import Settings
from service.store.engine import Store
from service.store.versions import ACTIVE, REFUSED, list_versions
from service.worker.heads import load_head

AT = "@"
"""Between task and room; no model is called so, since names of cards hold no such sign."""
MOST_LOADED = 8
"""Sessions kept; each is a few megabytes."""
MOST_HEADS = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """A model that answers, the version that it is, and all versions there are."""

    name: str
    version: str
    versions: tuple[str, ...]
    model: Served


@dataclass(frozen=True, slots=True)
class _Loaded:
    card: Card
    backbone: Backbone
    model: ShelfModel


class _Kept:
    """Loaded things, the ones used last; one is loaded by one thread at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._held:
                self._held[key] = load()
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            found: T = self._held[key]  # type: ignore[assignment]  # the key names what was loaded
            return found


class Shelf:
    """Models of one site, for several threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._models, self._heads = _Kept(MOST_LOADED), _Kept(MOST_HEADS)

    @property
    def loaded(self) -> int:
        """Sessions that are held now."""
        return len(self._models)

    def find(self, name: str, version: str | None = None) -> Found:
        """The model of this name.

        Raises:
            InferenceRefusal: 404, there is none; 503, it cannot be loaded.
        """
        task, at, room = name.partition(AT)
        return self._head(name, task, room, version) if at else self._model(name, version)

    def rooms_of(self, name: str) -> tuple[str, ...]:
        """Rooms whose keys may ask for this model; empty: any key may.

        Raises:
            InferenceRefusal: as `find`.
        """
        _, at, room = name.partition(AT)
        return (room,) if at else self._loaded(name).card.rooms

    def _model(self, name: str, version: str | None) -> Found:
        loaded = self._loaded(name)
        _check_version(name, version, (loaded.card.version,))
        return Found(name, loaded.card.version, (loaded.card.version,), loaded.model)

    def _loaded(self, name: str) -> "_Loaded":
        def load() -> _Loaded:
            settings = self._settings
            try:
                found = find_model(name, settings.models.shelves, settings.local_shelf)
            except (CardError, OSError) as error:
                raise InferenceRefusal(503, f"a model cannot be loaded: {error}") from error
            if found is None:
                shelves = ", ".join(settings.models.shelves)
                raise InferenceRefusal(
                    404, f"no model {name[:80]!r} on the shelves {shelves}; see /v1/models"
                )
            backbone = Backbone(found)
            return _Loaded(found.card, backbone, ShelfModel(backbone))

        return self._models.get(name, load)

    def _head(self, name: str, task: str, room: str, version: str | None) -> Found:
        there = [one for one in list_versions(self._store, room, task) if one.state != REFUSED]
        known = tuple(str(one.version) for one in reversed(there))
        if version is None:
            active = [str(one.version) for one in there if one.state == ACTIVE]
            if not active:
                raise InferenceRefusal(
                    404, f"room {room[:80]!r} has no head of its own active for {task[:80]!r}"
                )
            version = active[0]
        _check_version(name, version, known)
        number = int(version)
        model = self._heads.get(number, lambda: self._room_head(number, task))
        return Found(name, version, known, model)

    def _room_head(self, version: int, task: str) -> RoomHeadModel:
        with self._store.read() as connection:
            own = load_head(connection, version)
        if own is None:
            raise InferenceRefusal(503, f"version {version} is damaged; the service's log says how")
        return RoomHeadModel(self._base(own, task), own)

    def _base(self, own: RoomModel, task: str) -> Base:
        alone = bare(task)
        if own.model == (alone.card.name, alone.card.digest):
            return alone
        loaded = self._loaded(own.model[0])
        if loaded.card.digest != own.model[1]:
            raise InferenceRefusal(
                503, f"version {own.version} stands on another {own.model[0]!r} than the shelves hold"
            )
        return loaded.backbone


def _check_version(name: str, version: str | None, known: tuple[str, ...]) -> None:
    if version is not None and version not in known:
        raise InferenceRefusal(
            404,
            f"model {name[:80]!r} has no version {version[:80]!r}; there are {', '.join(known) or 'none'}",
        )
