"""What others hear of a broker, through paho by itself."""

import json
import threading
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.service.running import wait_for

MARKER = "marker"


class Listener:
    """Subscribes to filters; remembers what came, newest by topic and all in order.

    With an `identifier` the broker keeps what comes while we are away. With a topic `birth` we say there that
    we are back whenever the broker let us subscribe, as Home Assistant does.
    """

    def __init__(self, port: int, *filters: str, identifier: str = "", birth: str | None = None) -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=identifier, protocol=paho.MQTTv5, reconnect_on_failure=True
        )
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # it counts in fractions, too
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        # QoS 0 for what is retained: mosquitto then sends all of it, whatever its queue may hold.
        self._filters = [(name, 1 if identifier or birth else 0) for name in (*filters, MARKER)]
        self._birth = birth
        self._subscribed, self._present = threading.Event(), threading.Event()
        self._present.set()
        self._client.on_pre_connect = self._on_pre_connect
        self.messages: list[paho.MQTTMessage] = []
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600 if identifier else 0
        self._client.connect("127.0.0.1", port, clean_start=not identifier, properties=properties)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def _on_pre_connect(self, *_: object) -> None:
        self._present.wait(60)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        """Each time: a broker that was killed may have forgotten who had subscribed."""
        client.subscribe(self._filters)

    def _on_subscribe(self, client: paho.Client, *_: object) -> None:
        if self._birth is not None:
            client.publish(self._birth, "online", qos=1)
        self._subscribed.set()

    def _on_message(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        self.messages.append(message)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def leave(self) -> None:
        """Do not connect again, when the connection breaks, until `come_back`."""
        self._present.clear()

    def come_back(self) -> None:
        """Connect again if the connection broke meanwhile."""
        self._present.set()

    def newest(self) -> dict[str, str]:
        """The newest payload of every topic that holds one."""
        found = {message.topic: message.payload.decode() for message in list(self.messages)}
        return {topic: text for topic, text in found.items() if text and topic != MARKER}

    def ids(self) -> set[str]:
        """Ids of the events that came."""
        return {one["id"] for one in self.events()}

    def events(self) -> list[dict[str, Any]]:
        """The CloudEvents that came, in order."""
        return [json.loads(one.payload) for one in list(self.messages) if "/events/" in one.topic]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def retained(port: int, *filters: str) -> dict[str, paho.MQTTMessage]:
    """All that the broker keeps under these filters, by topic."""
    with Listener(port, *filters) as listener:
        listener.publish(MARKER, "end")
        wait_for(lambda: any(one.topic == MARKER for one in list(listener.messages)), "the marker")
        return {one.topic: one for one in list(listener.messages) if one.retain}
