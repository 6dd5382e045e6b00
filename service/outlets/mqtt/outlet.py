"""The outlet: tells a broker the retained truth and every event, and repeats it when somebody missed it."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiomqtt
import structlog

from service.errors import ServiceError
from service.outlets.mqtt.client import GOOD_BYE_S, Connection
from service.outlets.mqtt.events import publication
from service.outlets.mqtt.payloads import OFFLINE, ONLINE
from service.outlets.mqtt.publication import Publication
from service.outlets.mqtt.retained import Ledger
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.mqtt.told import told
from service.outlets.mqtt.topics import Topics
from service.outlets.port import OutletError, SiteView
from service.outlets.resend import Reach, Resend
from service.settings import Settings
from service.store.engine import Store
from service.store.eventlog import StoredEvent, site_id

_log = structlog.get_logger(__name__)


def make(settings: Settings, store: Store) -> "MqttOutlet":
    """The outlet of this site.

    Raises:
        ServiceError: a certificate or the password file cannot be used.
    """
    mqtt = settings.outlets.mqtt
    if mqtt is None:
        raise ServiceError("outlets.mqtt is not set")
    return MqttOutlet(mqtt, site_id(store))


class MqttOutlet:
    """Publishes with QoS 1; an event is delivered when the broker has acknowledged it.

    Args:
        settings: section ``[outlets.mqtt]``.
        site: the random name of the site's store.

    Raises:
        ServiceError: a certificate or the password file cannot be used.
    """

    name = "mqtt"
    wants_view = True

    def __init__(self, settings: MqttSettings, site: str) -> None:
        self._settings = settings
        self._topics = Topics(settings.prefix, settings.discovery_prefix, site)
        self._identifier = settings.client_id or f"roomtone-{site}"
        self._ledger = Ledger()
        self.resend = Resend(Reach(settings.resend, settings.resend_age_s, settings.resend_gap_s))
        self._connection: Connection | None = None
        _secrets(settings)

    async def __aenter__(self) -> Self:
        self._ledger = Ledger()
        try:
            password, context = _secrets(self._settings)  # read again: certificates are renewed while we run
        except ServiceError as error:
            raise OutletError(str(error)) from error
        connection = Connection(
            self._settings,
            identifier=self._identifier,
            will=self._topics.status,
            password=password,
            context=context,
            on_message=self._on_message,
        )
        await connection.open([*self._topics.retained, self._settings.birth_topic])
        self._connection = connection
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(OutletError, TimeoutError):  # after trouble too: the will is said only if we vanish
            async with asyncio.timeout(GOOD_BYE_S):
                await connection.publish([Publication(self._topics.status, OFFLINE, retain=True)])
        await connection.close()

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Publish events, in order."""
        await self._publish([publication(event, self._topics) for event in events])

    async def show(self, view: SiteView) -> None:
        """Publish what changed, what would expire, and that what is no more is no more."""
        now_s = time.monotonic()
        wanted = told(view, self._topics, discovery=self._settings.discovery)
        gone, due = self._ledger.gone(wanted), self._ledger.due(wanted, now_s)
        await self._publish([Publication.forget(topic) for topic in gone])
        self._ledger.cleared(gone)
        await self._publish([Publication.keep(one) for one in due])
        self._ledger.took(due, now_s)

    async def _publish(self, messages: Sequence[Publication]) -> None:
        if self._connection is None:
            raise OutletError("MQTT is not connected")
        await self._connection.publish(messages)

    def _on_message(self, message: aiomqtt.Message) -> None:
        """Something retained from before, or Home Assistant's birth message."""
        topic = message.topic.value
        if topic == self._settings.birth_topic:
            if message.payload == ONLINE.encode() and not message.retain:
                self._ledger.send_all()
                self.resend.want(time.monotonic())
                _log.info("home_assistant_started", topic=topic)
        elif message.retain and message.payload:
            self._ledger.found(topic)


def _secrets(settings: MqttSettings) -> tuple[str | None, ssl.SSLContext | None]:
    """Password and TLS, as their files are now."""
    return settings.password(), _context(settings)


def _context(settings: MqttSettings) -> ssl.SSLContext | None:
    tls = settings.tls
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert is not None:
            context.load_cert_chain(tls.cert, tls.key)
    except OSError as error:  # ssl.SSLError is one
        raise ServiceError(f"outlets.mqtt.tls cannot be used: {error}; it takes files in PEM") from error
    return context
