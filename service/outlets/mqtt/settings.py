"""Section ``[outlets.mqtt]``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from service.errors import ServiceError
from service.section import Section

Topic = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*(/[\w.-]+)*$", max_length=200)]
"""A topic, or the beginning of one: levels with a slash between them, without wildcards."""


class MqttTls(Section):
    """TLS to the broker: `ca` None trusts what the machine trusts; `cert` and `key` say who we are."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.key is not None and self.cert is None:
            raise ValueError("key is set and cert is not: set both, or neither")
        return self


class MqttSettings(Section):
    """The broker, and how to speak to it.

    `port` None means 8883 with TLS, else 1883. `client_id` None means one made of the site's own name, the
    same over restarts. `insecure` lets a broker on another machine be used without TLS. `discovery` announces
    rooms to Home Assistant. `resend`, `resend_age_s` and `resend_gap_s` say how many of the last events are
    sent again, how old they are at most, and how often (`service.outlets.resend.Reach`).
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: MqttTls | None = None
    insecure: bool = False
    username: str | None = None
    password_file: Path | None = None
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    prefix: Topic = "roomtone"
    discovery: bool = True
    discovery_prefix: Topic = "homeassistant"
    birth_topic: Topic = "homeassistant/status"
    resend: Annotated[int, Field(ge=0, le=100_000)] = 1000
    resend_age_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    resend_gap_s: Annotated[float, Field(gt=0, le=3600)] = 15.0

    @property
    def broker_port(self) -> int:
        """The port to connect to."""
        return self.port or (1883 if self.tls is None else 8883)

    def password(self) -> str | None:
        """The password, read now: the file may change while we run.

        Raises:
            ServiceError: there is no such file, or it is not text.
        """
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"outlets.mqtt.password_file cannot be read: {error}") from error

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file is set and username is not: set both, or neither")
        if self.tls is None and not self.insecure and not _is_local(self.host):
            raise ValueError(
                f"{self.host} is another machine, and without TLS anybody between could read who is where "
                "and the password: add [outlets.mqtt.tls] (an empty one trusts what this machine trusts), "
                "or set outlets.mqtt.insecure = true behind a private network"
            )
        return self


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
