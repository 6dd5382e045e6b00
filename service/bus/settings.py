"""Where the parts of a site hear each other when they run on several machines."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from service.section import Section

Part = Literal["run", "api", "worker", "trainer", "outlets", "demo"]
_TCP = re.compile(r"tcp://(?P<host>[^:/*]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def _tcp(endpoint: str) -> str:
    match = _TCP.fullmatch(endpoint)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise ValueError("an endpoint of signals is tcp://HOST:PORT, as the other machines reach it")
    return endpoint


class BusSettings(Section):
    """The signals between parts: heartbeats and wake-up calls.

    `signals` names for each part where the others reach it; parts it does not name are heard on their own
    machine only. `bind` is the address to listen at instead of the endpoint's own, e.g. in a container.
    `key_file` holds the key that all parts share (`roomtone keys bus` makes one); `insecure` lets a network
    reach the signals without it.
    """

    signals: dict[Part, Annotated[str, AfterValidator(_tcp)]] = Field(default_factory=dict)
    bind: str | None = None
    key_file: Path | None = None
    insecure: bool = False

    @property
    def is_local(self) -> bool:
        """Whether no other machine takes part."""
        hosts = [_TCP.fullmatch(endpoint) for endpoint in self.signals.values()]
        return all(one is not None and _loopback(one["host"]) for one in hosts) and self.bind is None

    @property
    def wants_keys(self) -> bool:
        """Whether the parts need the shared key."""
        return bool(self.signals) and (self.key_file is not None or not (self.is_local or self.insecure))

    @model_validator(mode="after")
    def _apart(self) -> Self:
        endpoints = list(self.signals.values())
        if len(set(endpoints)) < len(endpoints):
            raise ValueError("each part listens at an endpoint of its own: two of bus.signals are the same")
        return self


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"localhost", "[::1]"}
