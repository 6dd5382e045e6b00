"""Opening the bus that the settings name."""

from collections.abc import Sequence
from typing import Final

from service.bus.curve import CurveFolder
from service.bus.mesh import Mesh, read_key
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
        BusError: this part cannot listen where it should, or the key that the parts share is missing.
    """
    from service.bus.signals import ZmqSignals

    others = [other for other in listen_to if other != part]
    return ZmqSignals(settings.socket_dir, part, others, mesh_of(settings))


def mesh_of(settings: Settings) -> Mesh:
    """Which parts of the site are reached over TCP, and the key for it.

    Raises:
        BusError: the key is missing or damaged.
    """
    bus = settings.bus
    key = read_key(settings.bus_key) if bus.wants_keys else None
    return Mesh({str(part): endpoint for part, endpoint in bus.signals.items()}, bus.bind, key)
