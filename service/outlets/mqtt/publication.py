"""One message to be published, with its MQTT 5 properties."""

from dataclasses import dataclass

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from service.outlets.mqtt.retained import Retained


@dataclass(frozen=True, slots=True)
class Publication:
    """A message; one with `retain` and an empty payload makes the broker forget what it kept there."""

    topic: str
    payload: str
    retain: bool = False
    expires_s: int | None = None
    content_type: str | None = None

    @classmethod
    def keep(cls, one: Retained) -> "Publication":
        """A message that the broker keeps."""
        return cls(one.topic, one.payload, retain=True, expires_s=one.expires_s)

    @classmethod
    def forget(cls, topic: str) -> "Publication":
        """What the broker keeps there is true no more."""
        return cls(topic, "", retain=True)

    def properties(self) -> Properties:
        """Properties of the PUBLISH packet (MQTT 5.0, section 3.3.2.3)."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.PayloadFormatIndicator = 1  # UTF-8
        if self.expires_s is not None:
            properties.MessageExpiryInterval = self.expires_s
        if self.content_type is not None:
            properties.ContentType = self.content_type
        return properties
