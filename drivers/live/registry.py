"""Which live sources there are: lazy schemes, plus the entry-point group ``roomtone.sources``.

A transport is one module with ``open(rest, nic, *, ...) -> LiveSource``: `rest` is what follows the scheme,
its keyword-only arguments are the options it takes.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from inspect import Parameter, signature
from typing import cast

from drivers.errors import SourceError
from drivers.live.base import LiveSource
from drivers.registry import Nic

_BUILT_IN = {
    "-": "drivers.live.stdin",
    "netlink": "drivers.live.netlink",
    "dev": "drivers.live.device",
    "udp": "drivers.live.udp",
    "packet": "drivers.live.packet",
    "serial": "drivers.live.serial",
    "tls": "drivers.live.tls",
}
_GROUP = "roomtone.sources"
FORMS = "-, netlink[:IDX], dev[:PATH], udp:[HOST]:PORT, packet:IFACE, serial:PATH[@BAUD], tls:[HOST]:PORT"
Opener = Callable[..., LiveSource]


def schemes() -> list[str]:
    """All known schemes, built-in and installed, sorted."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=_GROUP))})


def is_live(text: str) -> bool:
    """Whether this names a live source (of whatever use) rather than a capture file."""
    return text.partition(":")[0] in schemes()


def open_source(text: str, nic: Nic, **options: object) -> LiveSource:
    """The live source that `text` names, e.g. ``"netlink"``, ``"udp:0.0.0.0:5500"``, ``"-"``.

    Args:
        text: scheme, and after a colon what it needs.
        nic: whose bytes these are.
        options: settings of the transport; one that is None or empty is as good as not given.

    Raises:
        SourceError: no such scheme, an option it does not know, or it cannot be opened.
    """
    scheme, _, rest = text.partition(":")
    opener = _opener(scheme, text)
    given = {name: value for name, value in options.items() if value not in (None, (), [], "")}
    if strange := sorted(set(given) - _settings(opener)):
        raise SourceError(f"source {text!r} takes no {', '.join('--' + name for name in strange)}")
    return opener(rest, nic, **given)


def _opener(scheme: str, text: str) -> Opener:
    if scheme in _BUILT_IN:
        return cast("Opener", import_module(_BUILT_IN[scheme]).open)
    for point in entry_points(group=_GROUP, name=scheme):
        return cast("Opener", point.load().open)
    raise SourceError(f"source {text!r} is not known; there are: {FORMS}, and file:PATH (a capture)")


def _settings(opener: Opener) -> set[str]:
    """Names of the options a transport takes."""
    parameters = signature(opener).parameters.values()
    return {parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY}
