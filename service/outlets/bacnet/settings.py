"""Section ``[outlets.bacnet]``."""

from ipaddress import AddressValueError, IPv4Address, IPv4Interface
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from service.outlets.bacnet.points import OnUnknown
from service.section import Section


class BacnetSettings(Section):
    """The device on the building's network.

    Attributes:
        address: IPv4 address of this machine; with a prefix, as in ``10.0.0.5/24``, broadcasts of that subnet
            are heard and told, which controllers need to find the device by themselves.
        port: UDP.
        device_instance: the device's number, the only one of its kind in the building; None: a random one,
            kept in the store.
        device_name: likewise; None: ``roomtone-`` and the number.
        vendor_id: identifier that ASHRAE gave who sells the device; 999 is one kept for tests.
        on_unknown: what is shown while a state is unknown: ``hold`` what was, or ``occupied``.
        bbmd: ``host:port`` of a broadcast management device to register with as a foreign device.
        bbmd_ttl_s: how long a registration lasts, seconds.
    """

    address: str
    port: Annotated[int, Field(ge=1, le=65535)] = 47808
    device_instance: Annotated[int, Field(ge=0, le=4_194_302)] | None = None
    device_name: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    vendor_id: Annotated[int, Field(ge=0, le=65535)] = 999
    on_unknown: OnUnknown = "hold"
    bbmd: str | None = None
    bbmd_ttl_s: Annotated[int, Field(ge=30, le=65535)] = 300

    @field_validator("address")
    @classmethod
    def _one_interface(cls, address: str) -> str:
        try:
            interface = IPv4Interface(address)
        except ValueError as error:
            raise ValueError("write an IPv4 address with its prefix, e.g. 10.0.0.5/24") from error
        if interface.ip.is_unspecified or interface.ip.is_multicast:
            raise ValueError("name the address of one interface: BACnet tells it to other devices")
        return address

    @field_validator("bbmd")
    @classmethod
    def _host_and_port(cls, bbmd: str | None) -> str | None:
        if bbmd is None:
            return None
        host, _, port = bbmd.partition(":")
        try:
            IPv4Address(host)
            fits = 0 < int(port or "47808") <= 65535
        except (AddressValueError, ValueError):
            fits = False
        if not fits:
            raise ValueError("write the IPv4 address of the BBMD and its port, e.g. 10.0.1.1:47808")
        return bbmd
