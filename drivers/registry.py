"""Which NICs there are: lazy names, plus the entry-point group ``roomtone.nics`` for third parties.

A NIC is one module (see CONTRIBUTING, "Add a NIC") that satisfies `Nic`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from drivers.account import Account
from drivers.errors import UnknownFormatError
from drivers.foreign import foreign
from drivers.frame import FrameBlock

_BUILT_IN = {
    "atheros": "drivers.atheros",
    "esp32": "drivers.esp32",
    "feitcsi": "drivers.feitcsi",
    "intel5300": "drivers.intel5300",
    "nexmon": "drivers.nexmon",
}
_GROUP = "roomtone.nics"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser made of a buffer.

    `blocks` are grouped by shape; `FrameBlock.index` counts frames from 0 within this buffer. The first
    `consumed` bytes are accounted for in `account`; the rest must be offered again with more behind it,
    together with `state`: what a format says once at its start (byte order, columns), immutable.
    """

    blocks: Sequence[FrameBlock]
    consumed: int
    account: Account
    state: object = None


class Nic(Protocol):
    """What every NIC module offers; same names in each."""

    NAME: str
    TITLE: str
    CLOCK_WRAP_NS: int | None
    """Span after which the NIC's clock starts over, None if it does not."""
    SEQUENCE_WRAP: int | None
    """Number after which the NIC's frame counter starts over, None if it counts nothing."""
    GROUP_WITHIN_NS: int | None
    """Longest span over which the records of one frame arrive, None where a record is a whole frame."""
    TELLS_TRANSMITTER: bool
    """Whether the NIC's records hold the MAC address of who sent the frame."""

    def sniff(self, head: bytes) -> str | None:
        """Why these first bytes of a file look like this NIC, or None if they do not."""
        ...

    def parse(self, data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
        """All frames in `data`; with `final` a cut last record is a reject, else it is left unconsumed.

        Pure: clock and counter are as the record says (not unwrapped; `drivers.stream` does that). `state` is
        that of the call before on the same stream, None at its start.
        """
        ...

    def encode(self, block: FrameBlock) -> bytes:
        """The NIC's own records of these frames; behind `opening`, `parse` gives them back bit for bit."""
        ...

    def opening(self) -> bytes:
        """What a capture file begins with before its first record; empty for most."""
        ...

    def wrap(self, datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
        """One datagram of a live transport as the record that a capture file would hold.

        Never raises: a datagram that is no record becomes one that `parse` counts.

        Args:
            datagram: what one read gave: a record without the file's framing, or (`link_layer`) a whole frame
                of a network interface.
            host_ns: Unix time at which it was read.
            link_layer: whether it came from a packet socket.
        """
        ...


def names() -> list[str]:
    """Names of all known NICs, built-in and installed, sorted."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=_GROUP))})


def load(name: str) -> Nic:
    """The NIC of that name.

    Raises:
        UnknownFormatError: there is none (the message lists those there are), or its package is broken.
    """
    if name in _BUILT_IN:
        return cast("Nic", import_module(_BUILT_IN[name]))
    for point in entry_points(group=_GROUP, name=name):
        return _installed(point)
    raise UnknownFormatError(f"no NIC named {name!r}; known: {', '.join(names())}")


def _installed(point: EntryPoint) -> Nic:
    """The NIC of another package."""
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    told = f"the NIC {point.name!r} of the package {package} cannot be used"
    try:
        nic = point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UnknownFormatError(f"{told}: {error}; repair or remove that package") from error
    offered = [*Nic.__annotations__, *(name for name in vars(Nic) if not name.startswith("_"))]
    if lacking := ", ".join(name for name in offered if not hasattr(nic, name)):
        raise UnknownFormatError(f"{told}: it lacks {lacking}; repair or remove that package")
    return cast("Nic", nic)


def detect(head: bytes) -> tuple[Nic, str]:
    """The NIC whose format these first bytes of a capture are in, and why it is taken for that.

    Raises:
        UnknownFormatError: the capture is empty, no NIC claims it (the message says what it is, where that
            can be told), or several do.
    """
    if not head:
        raise UnknownFormatError("the capture is empty (0 bytes)")
    claims, broken = _claims(head)
    if not claims:
        raise UnknownFormatError("; ".join([_no_capture(head), *broken]))
    if len(claims) > 1:
        listed = "; ".join(f"{name}: {why}" for name, why in claims.items())
        raise UnknownFormatError(f"several NICs claim these bytes ({listed}); say which it is with --nic")
    ((name, why),) = claims.items()
    return load(name), why


def _claims(head: bytes) -> tuple[dict[str, str], list[str]]:
    """Who takes these bytes for its own, and why; and what is wrong with those who could not be asked."""
    claims: dict[str, str] = {}
    broken = []
    for name in names():
        try:
            why = load(name).sniff(head)
        except UnknownFormatError as error:
            broken.append(str(error))
            continue
        if why is not None:
            claims[name] = why
    return claims, broken


def _no_capture(head: bytes) -> str:
    if (what := foreign(head)) is not None:
        return f"not a CSI capture that Roomtone reads, but {what}"
    known = ", ".join(names())
    return f"not a CSI capture of a known NIC ({known}); it starts with {head[:16].hex(' ')}"
