"""One webhook as an outlet: an event a request, in order, the next one only after the last was taken."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import msgspec

from service.outlets.port import OutletError, SiteView
from service.outlets.threads import finish
from service.outlets.webhooks.client import Answer, Sender
from service.outlets.webhooks.health import Health
from service.outlets.webhooks.sealing import SealError
from service.outlets.webhooks.shop import Shop
from service.outlets.webhooks.signing import signed_headers
from service.store.eventlog import StoredEvent
from service.store.webhooks import StoredWebhook, disable_webhook, save_health
from service.view.cloudevents import cloud_event, severity_rank
from service.view.selection import Selection, event_types

CONTENT_TYPE: Final = "application/cloudevents+json"
_SAVE_S: Final = 5.0


class WebhookOutlet:
    """Feeds one receiver; `shop` is what all webhooks of the site share."""

    wants_view = False
    resend = None

    def __init__(self, webhook: StoredWebhook, shop: Shop) -> None:
        self.name = webhook.outlet
        self._webhook, self._shop = webhook, shop
        self._selection: Selection | None = None
        self._health = Health.read(webhook.health)
        self._saved_s = 0.0
        self._sender: Sender | None = None
        self._secret = ""

    async def __aenter__(self) -> Self:
        """Get ready; the connection is made by the first delivery."""
        try:
            self._secret = self._shop.seal.open(self._webhook.secret)
            self._selection = selection_of(self._webhook)
        except (SealError, ValueError) as error:
            raise OutletError(str(error)) from error
        self._sender = await self._shop.sender(self._webhook.doc["url"]).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sender is not None:
            await self._sender.__aexit__(kind, error, trace)
            self._sender = None

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Post those that were asked for.

        Raises:
            OutletError: the receiver did not take one; those before it need not come again.
        """
        done: int | None = None
        for event in events:
            if self._selection is not None and self._selection.fits(event):
                answer = await self._post(event)
                await self._note(answer)
                if not answer.delivered:
                    raise OutletError(answer.trouble, done=done)
            done = event.sequence

    async def show(self, view: SiteView) -> None:
        """A webhook carries events only."""

    async def _post(self, event: StoredEvent) -> Answer:
        assert self._sender is not None  # noqa: S101 - deliveries come between enter and exit
        body = msgspec.json.encode(cloud_event(event, self._shop.site))
        headers = headers_of(self._secret, f"{self._shop.site}-{event.sequence}", body)
        return await self._sender.post(body, headers)

    async def _note(self, answer: Answer) -> None:
        """Failures, and the success that ends them, are saved at once: a receiver is judged by them later."""
        recovers = answer.delivered and self._health.failing_since_ns is not None
        verdict = self._health.note(answer, time.time_ns())
        store, webhook = self._shop.store, self._webhook.webhook
        if verdict is not None:
            await finish(disable_webhook, store, webhook, self._health.document(), verdict)
        elif recovers or not answer.delivered or time.monotonic() - self._saved_s >= _SAVE_S:
            await finish(save_health, store, webhook, self._health.document())
            self._saved_s = time.monotonic()


def headers_of(secret: str, message: str, body: bytes) -> dict[str, str]:
    """Headers of one attempt; `message` is the same at every attempt."""
    signed = signed_headers(secret, message, int(time.time()), body)
    return {"content-type": CONTENT_TYPE, "user-agent": "roomtone", **signed}


def selection_of(webhook: StoredWebhook) -> Selection:
    """Which events the webhook asked for; one of a room gets events of that room only.

    Of a room that was deleted since it gets what was told up to its end.

    Raises:
        ValueError: it asks for a type that is no more.
    """
    doc = webhook.doc
    rooms = None if doc["rooms"] is None else frozenset(doc["rooms"])
    if webhook.room is not None:
        rooms = frozenset({webhook.room})
    types = None if doc["types"] is None else event_types(doc["types"])
    return Selection(rooms, types, severity_rank(doc["min_severity"]), until=webhook.until)
