"""A connection to the broker: aiomqtt, which says nothing of refusals, and loss noticed at once."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from service.outlets.mqtt.payloads import OFFLINE
from service.outlets.mqtt.publication import Publication
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.port import OutletError

QOS: Final = 1
"""At least once; what is published counts when the broker's PUBACK says that it has it."""
KEEPALIVE_S: Final = 15
GOOD_BYE_S: Final = 1.0
_TOGETHER: Final = 100
OnMessage = Callable[[aiomqtt.Message], None]
_quiet = logging.getLogger(f"{__name__}.paho")
_quiet.setLevel(logging.CRITICAL)  # what goes wrong is said once, by whoever feeds the outlet


class _Client(aiomqtt.Client):
    """Remembers that the broker refused something: aiomqtt takes any PUBACK for a success."""

    refusal: str | None = None

    def _on_publish(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason_code.is_failure:
            self.refusal = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class Connection:
    """One connection, opened once.

    Args:
        settings: where the broker is, and who we are.
        identifier: MQTT client identifier; of two connections with the same one the broker ends the older.
        will: topic where the broker says ``offline`` if the connection breaks.
        password: of `settings.username`.
        context: TLS; None: in clear.
        on_message: called with everything that arrives.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        identifier: str,
        will: str,
        password: str | None,
        context: ssl.SSLContext | None,
        on_message: OnMessage,
    ) -> None:
        self._at = f"{settings.host}:{settings.broker_port}"
        self._on_message = on_message
        self._reading: asyncio.Task[None] | None = None
        self._client = _Client(
            settings.host,
            settings.broker_port,
            username=settings.username,
            password=password,
            identifier=identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(will, OFFLINE, QOS, retain=True),
            keepalive=KEEPALIVE_S,
            tls_context=context,
            logger=_quiet,
        )
        self._client.pending_calls_threshold = 10 * _TOGETHER

    async def open(self, filters: Sequence[str]) -> None:
        """Connect, and listen under these filters; nothing of our own comes back.

        Raises:
            OutletError: the broker cannot be reached, or does not want us.
        """
        try:
            await self._client.__aenter__()
        except (aiomqtt.MqttError, ValueError) as error:
            raise OutletError(f"MQTT broker {self._at} cannot be used: {error}") from error
        self._reading = asyncio.create_task(self._read(), name="mqtt-read")
        # With QoS 0 a broker sends all it retains; with QoS 1 mosquitto ends after its queue of 1000.
        options = SubscribeOptions(qos=0, noLocal=True)
        try:
            codes = await self._client.subscribe([(name, options) for name in filters])
        except aiomqtt.MqttError as error:
            await self.close()
            raise OutletError(f"MQTT broker {self._at} does not let us subscribe: {error}") from error
        for name, code in zip(filters, codes, strict=True):
            if isinstance(code, ReasonCode) and code.is_failure:
                await self.close()
                raise OutletError(f"MQTT broker {self._at} does not let us read {name}: {code}")

    async def publish(self, messages: Sequence[Publication]) -> None:
        """Publish in order; returns when the broker has acknowledged every one.

        Raises:
            OutletError: it has not, or refused one.
        """
        for page in _pages(messages):
            await self._publish(page)

    async def close(self) -> None:
        """Disconnect in order, so that the will stays unsaid; a broker that hangs is left."""
        with suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOOD_BYE_S):
                await self._client.__aexit__(None, None, None)
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self) -> None:
        with suppress(aiomqtt.MqttError):  # the connection is over: whoever publishes next will hear of it
            async for message in self._client.messages:
                self._on_message(message)

    async def _publish(self, page: Sequence[Publication]) -> None:
        if self._reading is None or self._reading.done():
            raise OutletError(f"the connection to MQTT broker {self._at} is lost")
        sending = asyncio.gather(*(self._send(one) for one in page), return_exceptions=True)
        sending.add_done_callback(_looked_at)
        either: set[asyncio.Future[Any]] = {sending, self._reading}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost = not sending.done()
            sending.cancel()
        if lost:
            raise OutletError(f"the connection to MQTT broker {self._at} is lost")
        for failure in sending.result():
            if isinstance(failure, BaseException):
                raise OutletError(f"MQTT broker {self._at} took nothing: {failure}") from failure
        if self._client.refusal is not None:
            topics = ", ".join(sorted({one.topic for one in page})[:3])
            why = self._client.refusal
            raise OutletError(
                f"MQTT broker {self._at} refused a message: {why}; look at its access rules for {topics}"
            )

    async def _send(self, one: Publication) -> None:
        await self._client.publish(
            one.topic, one.payload.encode(), qos=QOS, retain=one.retain, properties=one.properties()
        )


def _looked_at(sending: asyncio.Future[Any]) -> None:
    """What became of it is told by the connection that broke: asyncio need not complain beside it."""
    if not sending.cancelled():
        sending.exception()


def _pages(messages: Sequence[Publication]) -> Iterator[Sequence[Publication]]:
    for start in range(0, len(messages), _TOGETHER):
        yield messages[start : start + _TOGETHER]
