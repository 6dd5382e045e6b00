"""Limits on how often one caller may ask: token buckets in memory, a few bytes a caller."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

import structlog

from service.access_settings import LimitSettings
from service.api.problems import Problem

_BURST_S = 2.0
_MOST_CALLERS = 10_000
_log = structlog.get_logger(__name__)


class Buckets:
    """One bucket a name, filled at `rate` tokens a second up to `burst`; a rate of 0 is no limit."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._levels: OrderedDict[str, tuple[float, float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Take a token: 0 if there was one, else how many seconds until there is."""
        if self._rate <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            level, seen, was_granted = self._levels.get(name, (self._burst, now, True))
            level = min(self._burst, level + (now - seen) * self._rate)
            granted = level >= 1
            self._levels[name] = (level - 1 if granted else level), now, granted
            self._levels.move_to_end(name)
            if len(self._levels) > _MOST_CALLERS:
                self._levels.popitem(last=False)  # who was silent for longest has a full bucket anyway
        if was_granted and not granted:
            _log.warning("limit_reached", who=name, per_s=self._rate)  # once, however long it goes on
        return 0.0 if granted else (1 - level) / self._rate


class Limits:
    """The limits of this process. All methods raise Problem `rate-limited`, with Retry-After."""

    def __init__(self, settings: LimitSettings) -> None:
        self._keys = Buckets(settings.requests_per_s, settings.requests_per_s * _BURST_S)
        self._addresses = Buckets(settings.address_requests_per_s, settings.address_requests_per_s * _BURST_S)
        per_minute = settings.failed_logins_per_minute
        self._failures = Buckets(per_minute / 60, per_minute)
        self._most_streams = settings.streams
        self._streams = 0

    def ask(self, address: str) -> None:
        """Somebody at this address asks for something."""
        _refuse_for(self._addresses.take(address), "requests from this address")

    def ask_as(self, actor: str) -> None:
        """The holder of a key asks for something."""
        _refuse_for(self._keys.take(actor), "requests with this key")

    def fail(self, address: str) -> None:
        """A key or token of somebody at this address was wrong; those who hold a good one go on."""
        _refuse_for(self._failures.take(address), "wrong keys from this address")
        _log.warning("wrong_key", address=address)

    def open_stream(self) -> None:
        """A stream is opened; `close_stream` must follow."""
        if self._most_streams and self._streams >= self._most_streams:
            _refuse_for(1.0, f"streams, {self._most_streams} of them")
        self._streams += 1

    def close_stream(self) -> None:
        """A stream that was opened is over."""
        self._streams -= 1


def address_of(client: tuple[str, int] | list[str | int] | None) -> str:
    """What counts as one address: of IPv6 the /64 network, of which one machine may use all."""
    return _network_of(str(client[0]) if client else "")


@lru_cache(maxsize=_MOST_CALLERS)
def _network_of(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


def _refuse_for(seconds: float, what: str) -> None:
    if seconds > 0:
        wait = str(max(1, math.ceil(seconds)))
        raise Problem(
            "rate-limited", f"too many {what}; try again in {wait} s", headers={"Retry-After": wait}
        )
