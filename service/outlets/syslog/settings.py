"""Settings of the way to a security centre."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.outlets.syslog.message import LEAST_MAX_BYTES, MAX_BYTES
from service.section import Section

DOCUMENTATION_PEN = 32473
"""The enterprise number that RFC 5612 sets aside for documentation; Roomtone has none of its own."""


class SyslogSettings(Section):
    """Alerts and, if asked for, audit entries as syslog messages.

    Attributes:
        host: of the collector; its certificate is checked against it, or against `server_name`.
        port: 6514 is that of RFC 5425.
        tls: off only to loopback.
        server_name: name in the collector's certificate, where it is not `host`.
        ca_file: authorities that vouch for the collector, PEM; None: those of the system.
        cert_file: our certificate (PEM), for a collector that asks for one.
        key_file: its private key (PEM).
        facility: 0 to 23 (RFC 5424, 6.2.1); 16 is local0.
        hostname: of the sender, as messages tell it; None: the name of this machine.
        enterprise: private enterprise number under which our fields stand.
        types: of events to send; a name may leave out its prefix, or name a family.
        min_severity: of events to send.
        audit: whether audit entries are sent, too.
        max_bytes: longer messages are cut; no more than what the collector takes as one message.
        resend: after a broken connection so many of the last events that were sent (and audit entries) are
            sent again.
        resend_age_s: and none that was written longer ago; time without a connection does not count.
        resend_gap_s: never twice within so many seconds, however often the connection breaks.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 6514
    tls: bool = True
    server_name: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    facility: Annotated[int, Field(ge=0, le=23)] = 16
    hostname: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")] | None = None
    enterprise: Annotated[int, Field(ge=1, lt=2**32)] = DOCUMENTATION_PEN
    types: tuple[str, ...] = ("alert", "worker")
    min_severity: Literal["info", "warning", "critical"] = "info"
    audit: bool = False
    max_bytes: Annotated[int, Field(ge=LEAST_MAX_BYTES, le=2**20)] = MAX_BYTES
    resend: Annotated[int, Field(ge=0, le=100_000)] = 1000
    resend_age_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    resend_gap_s: Annotated[float, Field(gt=0, le=3600)] = 15.0

    @model_validator(mode="after")
    def _not_in_clear(self) -> Self:
        if not (self.tls or _is_loopback(self.host)):
            raise ValueError(
                f"without TLS everybody on the way to {self.host} could read and forge messages: leave "
                "outlets.syslog.tls on; off it is for loopback addresses only"
            )
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("outlets.syslog.cert_file and outlets.syslog.key_file go together")
        return self

    @model_validator(mode="after")
    def _old_enough(self) -> Self:
        if self.resend_age_s < self.resend_gap_s:
            raise ValueError(
                "outlets.syslog.resend_age_s is at least resend_gap_s: else what a second break within the "
                "gap loses is too old when it may be sent again"
            )
        return self


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
