"""The objects of rooms as bacpypes3 serves them, with notices of every change."""

from typing import Any, Final

from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.binary import BinaryInputObject
from bacpypes3.local.cov import COVDetection
from bacpypes3.local.multistate import MultiStateValueObject

from service.outlets.bacnet.layout import ALARM, ALARM_TEXTS, OCCUPANCY, OCCUPANCY_TEXTS, PEOPLE, Entry
from service.outlets.bacnet.points import Point

DEVICE_TYPE: Final = "WiFi channel state information"


class Changes(COVDetection):  # type: ignore[misc]  # the library has no types
    """When a subscriber hears of an object (ASHRAE 135, table 13-1): its value or its flags changed.

    The library's own criteria miss a change of flags alone, for Status_Flags is computed there; and they ask
    a multi-state object for its COV_Increment, which it has not. Counts are whole and the increment is one,
    so any other value is a change.
    """

    properties_tracked = ("presentValue", "reliability", "outOfService")
    properties_reported = ("presentValue", "statusFlags")
    monitored_property_reference = "presentValue"

    @property
    def statusFlags(self) -> Any:  # noqa: N802, ANN401 - the library's name and type
        """The object's flags as they are when the notice is written."""
        return self.obj.statusFlags


class Occupancy(BinaryInputObject):  # type: ignore[misc]  # the library has no types
    """Whether somebody is in the room."""

    _cov_criteria = Changes


class People(AnalogInputObject):  # type: ignore[misc]  # the library has no types
    """How many people are in the room."""

    _cov_criteria = Changes


class Alarm(MultiStateValueObject):  # type: ignore[misc]  # the library has no types
    """The gravest open alert of the room."""

    _cov_criteria = Changes


_CLASSES: Final = {OCCUPANCY: Occupancy, PEOPLE: People, ALARM: Alarm}
_FACTS: Final[dict[Any, dict[str, Any]]] = {
    OCCUPANCY: {
        "polarity": "normal",
        "inactiveText": OCCUPANCY_TEXTS[0],
        "activeText": OCCUPANCY_TEXTS[1],
        "deviceType": DEVICE_TYPE,
    },
    PEOPLE: {"units": "no-units", "covIncrement": 1.0, "minPresValue": 0.0, "deviceType": DEVICE_TYPE},
    ALARM: {"numberOfStates": len(ALARM_TEXTS), "stateText": list(ALARM_TEXTS)},
}


def make_object(entry: Entry, point: Point) -> Any:  # noqa: ANN401 - the library has no types
    """The object of this entry, showing this point. Needs a running event loop."""
    return _CLASSES[entry.kind](
        objectIdentifier=(entry.kind.object_type, entry.number),
        objectName=entry.name,
        eventState="normal",
        **_FACTS[entry.kind],
        **_values(entry, point),
    )


def show_point(entry: Entry, shown: Any, point: Point) -> None:  # noqa: ANN401 - the library has no types
    """Make the object show this point; subscribers get one notice however many properties change."""
    for name, value in _values(entry, point).items():
        setattr(shown, name, value)


def _values(entry: Entry, point: Point) -> dict[str, Any]:
    value: Any = {OCCUPANCY: int, ALARM: int, PEOPLE: float}[entry.kind](point.value)
    return {
        "presentValue": value,
        "reliability": point.reliability,
        "outOfService": point.out_of_service,
        "description": f"{entry.description} ({point.note})" if point.note else entry.description,
    }
