"""Where the device is on the network: one IPv4 address and UDP port, broadcasts only where they are set."""

import socket
from ipaddress import IPv4Interface
from typing import Any, Final

from bacpypes3.basetypes import HostNPort, IPMode
from bacpypes3.local.networkport import NetworkPortObject

from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.port import OutletError

HOST_ONLY: Final = 32
"""Prefix of an address without a subnet: nothing is broadcast, and no broadcast is heard."""


def check_free(settings: BacnetSettings) -> None:
    """See that the port can be opened; the library would try in silence for ever, or share it with another.

    Raises:
        OutletError: the address is not this machine's, or another program has the port.
    """
    host = str(IPv4Interface(settings.address).ip)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, settings.port))
        except OSError as error:
            raise OutletError(
                f"cannot open UDP {host}:{settings.port} for BACnet: {error.strerror}; "
                "outlets.bacnet.address must be one of this machine's, its port free"
            ) from error


def broadcasts(settings: BacnetSettings) -> bool:
    """Whether the device tells and hears broadcasts: those of a subnet, or through a BBMD."""
    return IPv4Interface(settings.address).network.prefixlen < HOST_ONLY or settings.bbmd is not None


def network_port(settings: BacnetSettings) -> Any:  # noqa: ANN401 - the library has no types
    """The network port object; adding it to an application opens the port."""
    port = NetworkPortObject(
        f"{IPv4Interface(settings.address)}:{settings.port}",
        objectIdentifier=("network-port", 1),
        objectName="network",
        networkNumber=0,
        networkNumberQuality="unknown",
    )
    if settings.bbmd is not None:
        port.bacnetIPMode = IPMode.foreign
        port.fdBBMDAddress = HostNPort(settings.bbmd)
        port.fdSubscriptionLifetime = settings.bbmd_ttl_s
    return port
