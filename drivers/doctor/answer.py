"""Whether the service at an endpoint answers a sender, and what it says."""

import time

from drivers.doctor.host import FAILED, NOT_APPLICABLE, Finding, ok
from drivers.errors import DeliveryError
from drivers.sender import Sender
from drivers.wire import Source

ID = "service.answer"
LOOKS = "the service takes this link's frames, or says why not"
DOCTORS_LINK = "roomtone-doctor"
_STEP_S = 0.1


def ask(endpoint: str | None, *, link: str | None, nic: str, timeout_s: float = 3.0) -> Finding:
    """Greet the service as this link would; without a link as one that it does not know. No frame is sent."""
    if endpoint is None:
        return Finding(NOT_APPLICABLE, "no endpoint named", "", "name it with --to")
    try:
        with Sender(endpoint, link=link or DOCTORS_LINK, nic=nic, source=Source.LIVE) as sender:
            end = time.monotonic() + timeout_s
            while not _settled(sender) and time.monotonic() < end:
                sender.pump(_STEP_S)
            return _judge(sender, link)
    except DeliveryError as error:
        return Finding(FAILED, str(error), "nothing can be sent there", "write e.g. tcp://192.0.2.1:5570")


def _settled(sender: Sender) -> bool:
    return sender.granted or sender.refusal is not None or sender.trouble is not None


def _judge(sender: Sender, link: str | None) -> Finding:
    if sender.granted:
        return ok(f"{sender.endpoint} takes frames of link {sender.link}")
    if sender.trouble is not None:
        why = "the service's frames travel encrypted, with a key for each link"
        return Finding(
            FAILED, f"{sender.endpoint}: {sender.trouble}", why, "run `roomtone links enroll` there"
        )
    if sender.refusal is None:
        why = "no Roomtone service hears there"
        do = "start it (roomtone run), and look at ingest.endpoint in its settings and at the firewall"
        return Finding(FAILED, f"{sender.endpoint} says nothing", why, do)
    if link is None and sender.refusal.reason == "unknown_link":
        return ok(f"{sender.endpoint} answers; name a link to ask whether it is taken")
    return Finding(
        FAILED, f"refused: {sender.refusal.reason}", "its frames are not taken", sender.refusal.detail
    )
