"""Who is who on BACnet: numbers of the device and of rooms, kept for ever and never given twice.

A building system addresses a point by number. So a room keeps its number as long as it lives, over restarts
and renamings, and the number of a room that was deleted stays taken: a room made again under the old name is
another room, and gets a number of its own.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

import sqlalchemy as sa

from service.store.engine import Store
from service.store.rooms import RoomRecord
from service.store.schema import bacnet_rooms, site

MAX_INSTANCE: Final = 4_194_302
"""Greatest instance of an object (ASHRAE 135, 12); the one above stands for "none"."""
_KEY: Final = "bacnet_device"


@dataclass(frozen=True, slots=True)
class Device:
    """The device as building systems know it.

    Attributes:
        instance: its number, which must be the only one of its kind in the building's BACnet.
        revision: moves when objects come, go or change their names (Database_Revision).
        objects: digest of the objects as of that revision.
    """

    instance: int
    revision: int
    objects: str


def room_numbers(store: Store, rooms: Iterable[RoomRecord]) -> dict[str, int]:
    """The number of each room; new rooms get the next ones, in the order given."""
    wanted = {record.room: record.created_ns for record in rooms}
    with store.read() as connection:
        numbers = _known(connection, wanted)
    if len(numbers) == len(wanted):
        return numbers
    with store.write() as connection:
        numbers = _known(connection, wanted)
        for room, created_ns in wanted.items():
            if room not in numbers:
                row = {"room": room, "created_ns": created_ns}
                connection.execute(sa.insert(bacnet_rooms).values(row))
        return _known(connection, wanted)


def known_numbers(store: Store, rooms: Iterable[RoomRecord]) -> dict[str, int]:
    """Numbers of those rooms that have one."""
    with store.read() as connection:
        return _known(connection, {record.room: record.created_ns for record in rooms})


def known_device(store: Store) -> Device | None:
    """The device as it was last served; None before the first time."""
    with store.read() as connection:
        return select_device(connection)


def select_device(connection: sa.Connection) -> Device | None:
    """As `known_device`, in the caller's transaction."""
    known = connection.execute(sa.select(site.c.value).where(site.c.key == _KEY)).scalar()
    return None if known is None else Device(**known)


def device(store: Store, *, instance: int | None, objects: str) -> Device:
    """The device with these objects; its revision has moved if they are others than before.

    Args:
        store: where it is kept.
        instance: the number that settings name; None: the one it had before, or a random one that stays.
        objects: digest of the objects that the device has now.
    """
    with store.write() as connection:
        before = select_device(connection)
        after = _next(before, instance, objects)
        if after != before:
            _keep(connection, after)
    return after


def leave_revisions_out(connection: sa.Connection, replaced: Device | None, count: int) -> None:
    """Go on with a higher revision: those between may have been told of objects that are not known here.

    `replaced` is the device of the store that this one replaces. Where this one was none yet, it goes on as
    that one.
    """
    here = select_device(connection)
    known = [one for one in (here, replaced) if one is not None]
    if known:
        revision = max(one.revision for one in known) + count
        _keep(connection, replace(known[0], revision=revision))


def _keep(connection: sa.Connection, device: Device) -> None:
    connection.execute(sa.delete(site).where(site.c.key == _KEY))
    connection.execute(sa.insert(site).values(key=_KEY, value=asdict(device)))


def _next(before: Device | None, instance: int | None, objects: str) -> Device:
    if before is None:
        return Device(1 + secrets.randbelow(MAX_INSTANCE) if instance is None else instance, 1, objects)
    moved = before.objects != objects
    return Device(before.instance if instance is None else instance, before.revision + moved, objects)


def _known(connection: sa.Connection, wanted: Mapping[str, int]) -> dict[str, int]:
    rows = connection.execute(sa.select(bacnet_rooms))
    return {row.room: int(row.number) for row in rows if wanted.get(row.room) == row.created_ns}
