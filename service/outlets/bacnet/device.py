"""The device object: who we are on BACnet, and what we truly do there."""

from importlib.metadata import version
from typing import Any, Final

from bacpypes3.basetypes import ObjectTypesSupported, ServicesSupported
from bacpypes3.local.device import DeviceObject

from service.outlets.bacnet.identity import device_name
from service.outlets.bacnet.settings import BacnetSettings
from service.store.bacnet import Device

SERVICES: Final = (
    ServicesSupported.subscribeCOV,
    ServicesSupported.readProperty,
    ServicesSupported.readPropertyMultiple,
    ServicesSupported.readRange,
    ServicesSupported.whoHas,
    ServicesSupported.whoIs,
)
"""What is carried out for others (ASHRAE 135, 12.11.16); writes are answered, and refused."""
OBJECT_TYPES: Final = (
    ObjectTypesSupported.analogInput,
    ObjectTypesSupported.binaryInput,
    ObjectTypesSupported.device,
    ObjectTypesSupported.multiStateValue,
    ObjectTypesSupported.networkPort,
)


class SiteDevice(DeviceObject):  # type: ignore[misc]  # the library has no types
    """A device that claims no more than it does: the library sets other services' bits, and no types."""

    @property
    def protocolServicesSupported(self) -> Any:  # noqa: N802, ANN401 - the library's name and type
        """Bits of the services above."""
        return _bits(ServicesSupported([]), SERVICES)

    @protocolServicesSupported.setter
    def protocolServicesSupported(self, value: object) -> None:  # noqa: N802 - the library's name
        """Nothing to keep: the library sets every property once."""

    @property
    def protocolObjectTypesSupported(self) -> Any:  # noqa: N802, ANN401 - the library's name and type
        """Bits of the types above."""
        return _bits(ObjectTypesSupported([]), OBJECT_TYPES)

    @protocolObjectTypesSupported.setter
    def protocolObjectTypesSupported(self, value: object) -> None:  # noqa: N802 - the library's name
        """Nothing to keep: the library sets every property once."""


def device_object(settings: BacnetSettings, device: Device) -> SiteDevice:
    """The device of this site. Needs a running event loop."""
    return SiteDevice(
        objectIdentifier=("device", device.instance),
        objectName=device_name(settings.device_name, device),
        description="Room sensing with ordinary WiFi",
        vendorName="Roomtone",
        vendorIdentifier=settings.vendor_id,
        modelName="Roomtone",
        firmwareRevision=version("roomtone"),
        applicationSoftwareVersion=version("roomtone"),
        databaseRevision=device.revision,
    )


def _bits(empty: Any, numbers: tuple[int, ...]) -> Any:  # noqa: ANN401 - the library has no types
    for number in numbers:
        empty[number] = 1
    return empty
