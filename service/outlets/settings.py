"""Settings of what leaves the service: one section an outlet, None where the outlet is off."""

from pathlib import Path

from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.syslog.settings import SyslogSettings
from service.section import Section


class WebhookSettings(Section):
    """Webhooks, which are made through the API.

    Attributes:
        enabled: whether any is delivered.
        allow_http: plain HTTP to loopback.
        allow_private: receivers that are not on the public internet.
        ca_file: further certificate authorities, PEM.
        key_file: seals their secrets; None: ``webhooks.key`` in the data folder.
    """

    enabled: bool = True
    allow_http: bool = False
    allow_private: bool = False
    ca_file: Path | None = None
    key_file: Path | None = None


class OutletSettings(Section):
    """What leaves the service; `allow_non_live` lets simulated and replayed state leave too (DESIGN A6)."""

    allow_non_live: bool = False
    mqtt: MqttSettings | None = None
    bacnet: BacnetSettings | None = None
    syslog: SyslogSettings | None = None
    webhooks: WebhookSettings = WebhookSettings()
