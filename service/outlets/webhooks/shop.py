"""What all webhooks of a site share: the store, the site's name, the seal, certificates, the address rule."""

import ssl
from dataclasses import dataclass
from typing import Self

from service.outlets.webhooks.address import AddressRule
from service.outlets.webhooks.client import Sender, tls_of
from service.outlets.webhooks.sealing import Seal
from service.settings import Settings
from service.store.engine import Store
from service.store.eventlog import site_id


@dataclass(frozen=True, slots=True)
class Shop:
    """Made once a process."""

    store: Store
    site: str
    seal: Seal
    rule: AddressRule
    tls: ssl.SSLContext

    @classmethod
    def open(cls, settings: Settings, store: Store) -> Self:
        """As the settings say.

        Raises:
            ServiceError: the file of certificate authorities cannot be used.
        """
        section = settings.outlets.webhooks
        return cls(
            store=store,
            site=site_id(store),
            seal=seal_of(settings),
            rule=AddressRule(section.allow_http, section.allow_private),
            tls=tls_of(section.ca_file),
        )

    def sender(self, url: str) -> Sender:
        """A connection to a receiver."""
        return Sender(url, self.rule, self.tls)


def seal_of(settings: Settings) -> Seal:
    """The seal of this site's secrets."""
    section = settings.outlets.webhooks
    return Seal(section.key_file or settings.data_dir.absolute() / "webhooks.key")
