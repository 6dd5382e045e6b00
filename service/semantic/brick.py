"""The site in Brick (brickschema.org, 1.4) as Turtle: rooms, zones, points, and where BACnet has them."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from service.outlets.bacnet.layout import Entry
from service.semantic.site import Site, brick_class, label, other_tags
from service.store.rooms import RoomRecord

PREFIXES: Final = {
    "brick": "https://brickschema.org/schema/Brick#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "ref": "https://brickschema.org/schema/Brick/ref#",
    "bacnet": "http://data.ashrae.org/bacnet/2020#",
}
CLASSES: Final = {"presence": "Occupancy_Sensor", "counting": "Occupancy_Count_Sensor"}
"""Class of a task's point; tasks that Brick has no word for are plain sensors."""
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
Fact = tuple[str, str]
"""Predicate and object, as Turtle."""


def turtle(site: Site) -> str:
    """The whole site as a Turtle document (W3C, RDF 1.1 Turtle)."""
    heads = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    return heads + "".join(_about(subject, facts) for subject, facts in _things(site))


def _things(site: Site) -> Iterator[tuple[str, list[Fact]]]:
    yield site.urn, [("a", "brick:Site"), ("rdfs:label", _literal(f"Roomtone site {site.site}"))]
    if site.device is not None:
        number = str(site.device.instance)
        yield _device(site), [("a", "bacnet:BACnetDevice"), ("bacnet:device-instance", number)]
    zones: dict[str, list[str]] = {}
    for record in site.rooms:
        for zone in record.config.zones:
            zones.setdefault(zone.zone, []).append(site.room_urn(record.room))
        yield from _room(site, record)
    for name, rooms in zones.items():
        facts = [("a", "brick:Zone"), ("rdfs:label", _literal(name))]
        yield f"{site.urn}:zone:{name}", facts + [("brick:hasPart", _iri(room)) for room in rooms]


def _room(site: Site, record: RoomRecord) -> Iterator[tuple[str, list[Fact]]]:
    urn = site.room_urn(record.room)
    tags = [(_iri(f"urn:roomtone:tag:{quote(name, safe='')}"), value) for name, value in _tags(record)]
    about = [("a", f"brick:{brick_class(record.config)}"), ("rdfs:label", _literal(label(record)))]
    yield urn, [*about, ("brick:isPartOf", _iri(site.urn)), *tags]
    for task in record.config.tasks:
        kind = CLASSES.get(task, "Sensor")
        yield f"{urn}:task:{task}", _point(site, record, kind, task, site.entries.get((record.room, task)))
    yield f"{urn}:alarm", _point(site, record, "Alarm", "alarm", site.entries.get((record.room, None)))


def _tags(record: RoomRecord) -> Iterator[Fact]:
    return ((name, _literal(value)) for name, value in other_tags(record.config))


def _point(site: Site, record: RoomRecord, kind: str, says: str, entry: Entry | None) -> list[Fact]:
    facts = [("a", f"brick:{kind}"), ("rdfs:label", _literal(f"{label(record)}: {says}"))]
    facts.append(("brick:isPointOf", _iri(site.room_urn(record.room))))
    if entry is not None and site.device is not None:
        facts.append(("ref:hasExternalReference", _reference(site, entry)))
    return facts


def _reference(site: Site, entry: Entry) -> str:
    identifier = _literal(f"{entry.kind.object_type},{entry.number}")
    return (
        f"[ a ref:BACnetReference ; bacnet:object-identifier {identifier} ; "
        f"bacnet:object-name {_literal(entry.name)} ; bacnet:objectOf {_iri(_device(site))} ]"
    )


def _device(site: Site) -> str:
    return f"{site.urn}:bacnet"


def _about(subject: str, facts: Iterable[Fact]) -> str:
    told = " ;\n    ".join(f"{predicate} {value}" for predicate, value in facts)
    return f"\n{_iri(subject)}\n    {told} .\n"


def _iri(iri: str) -> str:
    """Ours hold names of rooms, zones and tasks, which have no character that an IRI may not."""
    return f"<{iri}>"


def _literal(text: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return f'"{escaped}"'
