"""Events as CloudEvents over MQTT 5, structured mode (CloudEvents MQTT protocol binding 1.0, section 3.2)."""

from typing import Final

from service.outlets.mqtt.payloads import compact
from service.outlets.mqtt.publication import Publication
from service.outlets.mqtt.topics import Topics
from service.store.eventlog import StoredEvent
from service.view.cloudevents import cloud_event

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"


def publication(event: StoredEvent, topics: Topics) -> Publication:
    """The message that carries an event; `source` and `id` in it tell a repetition from a new one."""
    document = compact(cloud_event(event, topics.site))
    return Publication(topics.event(event.type, event.room), document, content_type=CONTENT_TYPE)
