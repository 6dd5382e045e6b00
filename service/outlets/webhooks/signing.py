"""Signatures as of the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A secret in the form the specification gives it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, message: str, time_s: int, body: bytes) -> dict[str, str]:
    """Headers of a delivery: `message` is its id, the same at every attempt; `time_s` is the attempt's."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    content = f"{message}.{time_s}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(time_s),
        "webhook-signature": f"v1,{signature}",
    }
