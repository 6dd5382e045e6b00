"""Where a webhook may lead: HTTPS, and no address that only this machine or this network should reach.

The URL comes from an admin, the request from inside the building: without this rule a webhook would be a way
to talk to what the admin cannot reach (server-side request forgery, OWASP).
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

from service.urls import Address, as_address, is_loopback, web_url

_METADATA: Final = tuple(
    ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Where clouds tell a machine its own credentials; refused even where private addresses are allowed."""
_NAT64: Final = ip_network("64:ff9b::/96")
_HIDING: Final = (ip_network("::/96"), ip_network("64:ff9b:1::/48"))
"""An IPv4 address lies in these as well: IPv4-compatible (RFC 4291, 2.5.5.1), which nobody uses any more, and
local NAT64 (RFC 8215), where only the site's own network knows which one.
"""


@dataclass(frozen=True, slots=True)
class AddressRule:
    """`allow_http`: plain HTTP to loopback. `allow_private`: the site's own network."""

    allow_http: bool = False
    allow_private: bool = False

    def check_url(self, url: str) -> None:
        """Look at what can be known before the name is resolved.

        Raises:
            ValueError: what is wrong with the URL, and what to do.
        """
        parts = web_url(url)
        host = parts.hostname or ""
        if (literal := as_address(host)) is not None:
            self.check_address(literal, http=parts.scheme == "http")
        elif parts.scheme == "http" and not (self.allow_http and is_loopback(host)):
            raise ValueError(
                "plain http would show events to everybody on the way: use https (http is for loopback "
                "only, with outlets.webhooks.allow_http)"
            )

    def check_address(self, address: Address, *, http: bool) -> None:
        """Look at the address that would be connected to.

        Raises:
            ValueError: why it is refused.
        """
        real = _unwrapped(address)
        if real in _METADATA or real.is_link_local or real.is_multicast or real.is_unspecified:
            raise ValueError(f"{address} is refused: link-local, metadata, multicast or no address at all")
        if not real.is_loopback and any(real in network for network in _HIDING):
            raise ValueError(f"{address} is refused: an IPv4 address is hidden in it; write that one")
        if http and not (self.allow_http and is_loopback(address)):
            raise ValueError(
                f"plain http to {address} is refused: use https (http is for loopback only, with "
                "outlets.webhooks.allow_http)"
            )
        if not (http or real.is_global or self.allow_private):
            raise ValueError(
                f"{address} is not an address of the public internet; outlets.webhooks.allow_private lets "
                "webhooks reach the site's own network"
            )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64); else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
