"""Opening the bus that the settings name."""

from collections.abc import Sequence
from typing import Final

from service.bus.curve import CurveFolder
from service.bus.port import Ingest, Signals
from service.errors import BusError
from service.settings import Settings

PARTS: Final = ("run", "api", "worker", "demo", "trainer", "outlets")
"""Parts of a service that may send signals."""

_SCHEMES = ("tcp://", "ipc://")


def open_ingest(endpoint: str, curve: CurveFolder | None = None) -> Ingest:
    """The receiving end of the frame stream at this endpoint; with `curve` it asks for enrolled keys.

    Raises:
        BusError: the endpoint is of no known kind or cannot be bound, or the keys cannot be used.
    """
    if not endpoint.startswith(_SCHEMES):
        raise BusError(
            f"ingest.endpoint {endpoint!r} is of no known kind; write tcp://HOST:PORT or ipc://PATH"
        )
    from service.bus.zmq import ZmqIngest

    return ZmqIngest(endpoint, curve)


def curve_folder(settings: Settings) -> CurveFolder | None:
    """Keys that senders of this site need, None where they need none."""
    return CurveFolder(settings.curve_dir) if settings.ingest.wants_keys else None


def open_signals(settings: Settings, part: str | None, listen_to: Sequence[str] = PARTS) -> Signals:
    """The signals of this part of the service (None: listen only), hearing the others.

    Raises:
        BusError: the folder of the local bus cannot be used.
    """
    from service.bus.zmq import ZmqSignals

    return ZmqSignals(settings.socket_dir, part, [other for other in listen_to if other != part])
