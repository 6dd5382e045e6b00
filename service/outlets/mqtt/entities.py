"""Which entities Home Assistant shows for a task, and how it reads them out of the state's JSON.

A template that gives ``None`` makes an entity *unknown* (Home Assistant's `PAYLOAD_NONE`); nothing else may
be said of a value that is null. See home-assistant.io/integrations/mqtt, binary_sensor.mqtt and sensor.mqtt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from service.outlets.mqtt.payloads import MOVING

BINARY_SENSOR: Final = "binary_sensor"
SENSOR: Final = "sensor"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity.

    Attributes:
        key: names it within its room for ever; Home Assistant's `unique_id` rests on it.
        platform: ``binary_sensor`` or ``sensor``.
        name: what people see beside the room's name.
        template: how its value is read.
        more: further keys of its discovery payload.
    """

    key: str
    platform: str
    name: str
    template: str
    more: Mapping[str, Any] = field(default_factory=dict)


def _known(then: str) -> str:
    """A template of a value that is there; unknown where it is not."""
    return "{% if value_json.value is none %}None{% else %}" + then + "{% endif %}"


_PLAIN: Final = _known("{{ (value_json.value | string)[:255] }}")
_POSITION: Final = _known(
    "{% set at = value_json.value %}{% if at.cell is not none %}{{ at.cell }}"
    "{% elif at.x_m is not none %}{{ at.x_m }}, {{ at.y_m }}{% else %}nobody{% endif %}"
)
_MOTION: Final = (
    "{% if value_json.value is none or value_json.motion is not number %}None"
    f"{{% else %}}{{{{ 'ON' if value_json.motion >= {MOVING} else 'OFF' }}}}{{% endif %}}"
)

TASKS: Final[Mapping[str, tuple[Entity, ...]]] = {
    "presence": (
        Entity(
            "occupancy",
            BINARY_SENSOR,
            "Occupancy",
            _known("{{ 'ON' if value_json.value == 'occupied' else 'OFF' }}"),
            {"device_class": "occupancy"},
        ),
        Entity("motion", BINARY_SENSOR, "Motion", _MOTION, {"device_class": "motion"}),
    ),
    "counting": (
        Entity(
            "people",
            SENSOR,
            "People",
            _known("{{ value_json.value }}"),
            {
                "state_class": "measurement",
                "unit_of_measurement": "people",
                "suggested_display_precision": 0,
                "icon": "mdi:account-multiple",
            },
        ),
    ),
    "localization": (Entity("position", SENSOR, "Position", _POSITION, {"icon": "mdi:map-marker"}),),
    "activity": (Entity("activity", SENSOR, "Activity", _PLAIN, {"icon": "mdi:run"}),),
    "suspicious_object": (
        Entity(
            "suspicious_object",
            BINARY_SENSOR,
            "Suspicious object",
            _known("{{ 'OFF' if value_json.value == 'none' else 'ON' }}"),
            {"device_class": "safety"},
        ),
        Entity("material", SENSOR, "Material carried", _PLAIN, {"icon": "mdi:bag-personal"}),
    ),
}


def of_task(task: str) -> tuple[Entity, ...]:
    """Entities of a task; one that another package brings is a sensor that shows its value."""
    return TASKS.get(task) or (Entity(f"task.{task}", SENSOR, task.replace("_", " ").capitalize(), _PLAIN),)


def of_link(link: str) -> tuple[Entity, ...]:
    """Entities of a link, for those who look after the installation."""
    connected = (
        "{{ {'ok': 'ON', 'lost': 'OFF', 'waiting': 'OFF'}.get(value_json.status, 'None') }}"  # else unknown
    )
    diagnostic = {"entity_category": "diagnostic"}
    return (
        Entity(
            f"link.{link}",
            BINARY_SENSOR,
            f"Link {link}",
            connected,
            {**diagnostic, "device_class": "connectivity"},
        ),
        Entity(
            f"drift.{link}",
            SENSOR,
            f"Drift {link}",
            "{{ value_json.drift }}",
            {**diagnostic, "state_class": "measurement", "suggested_display_precision": 2},
        ),
    )
