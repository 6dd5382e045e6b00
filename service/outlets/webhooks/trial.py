"""A test event: sent at once, marked as a test, not in the log."""

import secrets
import time
from typing import Any, Final

import msgspec

from service.outlets.webhooks.client import Answer
from service.outlets.webhooks.outlet import headers_of
from service.outlets.webhooks.shop import Shop
from service.state import rfc3339
from service.store.webhooks import StoredWebhook

TEST_TYPE: Final = "org.roomtone.webhook.test"


async def send_test(webhook: StoredWebhook, shop: Shop) -> Answer:
    """Deliver a test event, signed as every other.

    Raises:
        SealError: the webhook's secret cannot be read.
    """
    secret = shop.seal.open(webhook.secret)
    event = _event(webhook, shop.site)
    body = msgspec.json.encode(event)
    async with shop.sender(webhook.doc["url"]) as sender:
        return await sender.post(body, headers_of(secret, f"{shop.site}-{event['id']}", body))


def _event(webhook: StoredWebhook, site: str) -> dict[str, Any]:
    """A CloudEvent without a sequence: it has no place in the log."""
    return {
        "specversion": "1.0",
        "id": f"test-{secrets.token_hex(8)}",
        "source": f"urn:roomtone:site:{site}",
        "type": TEST_TYPE,
        "time": rfc3339(time.time_ns()),
        "datacontenttype": "application/json",
        "data": {"test": True, "webhook": webhook.webhook},
    }
