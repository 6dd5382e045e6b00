"""Opening the bus that the settings name."""

from collections.abc import Sequence
from typing import Final

from service.bus.port import Ingest, Signals
from service.errors import BusError
from service.settings import Settings

PARTS: Final = ("run", "api", "worker", "demo", "trainer")
"""Parts of a service that may send signals."""

_SCHEMES = ("tcp://", "ipc://")


def open_ingest(endpoint: str) -> Ingest:
    """The receiving end of the frame stream at this endpoint.

    Raises:
        BusError: the endpoint is of no known kind or cannot be bound.
    """
    if not endpoint.startswith(_SCHEMES):
        raise BusError(
            f"ingest.endpoint {endpoint!r} is of no known kind; write tcp://HOST:PORT or ipc://PATH"
        )
    from service.bus.zmq import ZmqIngest

    return ZmqIngest(endpoint)


def open_signals(settings: Settings, part: str | None, listen_to: Sequence[str] = PARTS) -> Signals:
    """The signals of this part of the service (None: listen only), hearing the others.

    Raises:
        BusError: the folder of the local bus cannot be used.
    """
    from service.bus.zmq import ZmqSignals

    return ZmqSignals(settings.socket_dir, part, [other for other in listen_to if other != part])
