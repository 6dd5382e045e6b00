"""Which events somebody wants: by room, by type, by severity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.events import ABOUT_ALL_ROOMS, EventType
from service.store.eventlog import StoredEvent
from service.view.cloudevents import severity_rank

_PREFIX = "org.roomtone."


@dataclass(frozen=True, slots=True)
class Selection:
    """`rooms`, `types` None: all; `min_rank` as `severity_rank` gives it.

    `until`: rooms that were wanted up to the event of that number; another of the name is another room.
    """

    rooms: frozenset[str] | None
    types: frozenset[str] | None
    min_rank: int
    until: Mapping[str, int] = field(default_factory=dict, kw_only=True)

    def fits(self, event: StoredEvent) -> bool:
        """Whether this event is wanted."""
        return (
            (event.type in ABOUT_ALL_ROOMS or self._is_of_its_rooms(event))
            and (self.types is None or event.type in self.types)
            and severity_rank(event.severity) >= self.min_rank
        )

    def _is_of_its_rooms(self, event: StoredEvent) -> bool:
        if self.rooms is None or event.room in self.rooms:
            return True
        return event.room is not None and event.sequence <= self.until.get(event.room, 0)


def event_types(patterns: Iterable[str]) -> frozenset[str]:
    """Full names of the types meant: a name may leave out the prefix, or name a family, such as ``alert``.

    Raises:
        ValueError: there is no such type.
    """
    known = [kind.value for kind in EventType]
    found: set[str] = set()
    for pattern in patterns:
        name = _PREFIX + pattern.removesuffix("*").removesuffix(".").removeprefix(_PREFIX)
        fitting = {kind for kind in known if kind == name or kind.startswith(name + ".")}
        if not fitting:
            raise ValueError(f"no event type {pattern[:80]!r}; there are {', '.join(known)}")
        found |= fitting
    return frozenset(found)
