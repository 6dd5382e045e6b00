"""Everything the broker is to keep of a site at a moment."""

from collections.abc import Iterator

from service.outlets.mqtt.discovery import configs
from service.outlets.mqtt.payloads import (
    ONLINE,
    availability,
    compact,
    essence,
    expires_s,
    link_document,
    value_text,
)
from service.outlets.mqtt.retained import Retained
from service.outlets.mqtt.topics import Topics
from service.outlets.port import RoomView, SiteView


def told(view: SiteView, topics: Topics, *, discovery: bool = True) -> list[Retained]:
    """The retained messages of a site: rooms first, and that we are there once they are all said."""
    messages: list[Retained] = []
    for room in view.rooms:
        messages += _states(room, topics)
        messages += _links(room, topics)
        messages += configs(room, topics) if discovery else ()
    return [*messages, Retained(topics.status, ONLINE, ONLINE)]


def _states(room: RoomView, topics: Topics) -> Iterator[Retained]:
    name, life_s = room.record.room, expires_s(room.record.config)
    for state in room.states:
        task = state["task"]
        there, value = availability(state), value_text(state)
        yield Retained(topics.task(name, task, "state"), compact(state), essence(state), life_s)
        yield Retained(topics.task(name, task, "value"), value, value, life_s)
        yield Retained(topics.task(name, task, "availability"), there, there)


def _links(room: RoomView, topics: Topics) -> Iterator[Retained]:
    life_s = expires_s(room.record.config)
    for link, how in room.links.items():
        document = compact(link_document(how))
        yield Retained(topics.link(room.record.room, link), document, document, life_s)
