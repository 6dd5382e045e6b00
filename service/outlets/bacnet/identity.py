"""Which objects the device has, and under which numbers: the same for the device and for its EDE files."""

from collections.abc import Sequence

from service.outlets.bacnet.layout import Entry, digest, layout
from service.store.bacnet import Device, device, room_numbers
from service.store.engine import Store
from service.store.rooms import RoomRecord


def identify(store: Store, rooms: Sequence[RoomRecord], instance: int | None) -> tuple[list[Entry], Device]:
    """Objects of these rooms and the device that has them; what is new gets its number, for ever.

    `instance` is the device's, where settings name one.
    """
    entries = layout(rooms, room_numbers(store, rooms))
    return entries, device(store, instance=instance, objects=digest(entries))


def device_name(name: str | None, device: Device) -> str:
    """Object_Name of the device: that of the settings, or one made of its number."""
    return name or f"roomtone-{device.instance}"
