"""The outlets that settings can turn on, by the name of their section."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from service.outlets.port import Outlet
from service.settings import Settings
from service.store.engine import Store

OUTLETS: Final[Mapping[str, str]] = {
    "mqtt": "service.outlets.mqtt.outlet",
    "syslog": "service.outlets.syslog.outlet",
    "bacnet": "service.outlets.bacnet.outlet",
}
"""Section of `[outlets]` -> module with ``make(settings: Settings, store: Store) -> Outlet``.

A module is imported only where its section is set.
"""


def configured(settings: Settings) -> list[str]:
    """Names of the sections that are set."""
    return [name for name in OUTLETS if getattr(settings.outlets, name) is not None]


def has_any(settings: Settings) -> bool:
    """Whether the part that feeds outlets has anything to do: webhooks may be made at any time."""
    return settings.outlets.webhooks.enabled or bool(configured(settings))


def build(settings: Settings, store: Store) -> list[Outlet]:
    """The outlets of this site.

    Raises:
        ServiceError: the settings of one cannot be used, e.g. a certificate that is not there.
    """
    return [import_module(OUTLETS[name]).make(settings, store) for name in configured(settings)]
