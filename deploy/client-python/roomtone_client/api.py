"""Every operation of the API as a call: `Client` and `AsyncClient` send the same ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from roomtone_client.calls import Call, File, Moment, moment, settings, upload
from roomtone_client.documents import (
    Alert,
    Dismissal,
    EventPage,
    Job,
    Key,
    ModelCard,
    NewKey,
    Page,
    Prediction,
    Role,
    Rollback,
    Room,
    RoomState,
    RoomVersion,
    Sample,
    SiteState,
    ZoneState,
)

Names = Sequence[str]


def rooms() -> Call[Page[Room]]:
    return Call("GET", "v1", "rooms", result=Page[Room])


def room(name: str) -> Call[Room]:
    return Call("GET", "v1", "rooms", name, result=Room)


def put_room(name: str, config: Mapping[str, Any], if_match: str | None) -> Call[Room]:
    return Call("PUT", "v1", "rooms", name, result=Room, body=dict(config), if_match=if_match)


def delete_room(name: str, if_match: str | None) -> Call[None]:
    return Call("DELETE", "v1", "rooms", name, result=type(None), if_match=if_match)


def room_state(name: str) -> Call[RoomState]:
    return Call("GET", "v1", "rooms", name, "state", result=RoomState)


def states(rooms: Names | None, tasks: Names | None) -> Call[SiteState]:
    return Call("GET", "v1", "state", result=SiteState, query={"rooms": rooms, "tasks": tasks})


def zone_state(zone: str) -> Call[ZoneState]:
    return Call("GET", "v1", "zones", zone, "state", result=ZoneState)


def predictions(room: str, **query: Any) -> Call[Page[Prediction]]:
    return Call("GET", "v1", "rooms", room, "predictions", result=Page[Prediction], query=query)


def events(**query: Any) -> Call[EventPage]:
    return Call("GET", "v1", "events", result=EventPage, query=query)


def alerts(**query: Any) -> Call[Page[Alert]]:
    return Call("GET", "v1", "alerts", result=Page[Alert], query=query)


def alert(alert: str) -> Call[Alert]:
    return Call("GET", "v1", "alerts", alert, result=Alert)


def acknowledge(alert: str) -> Call[Alert]:
    return Call("POST", "v1", "alerts", alert, "acknowledge", result=Alert)


def snooze(alert: str, for_s: float | None, until: Moment | None) -> Call[Alert]:
    body = settings(for_s=for_s, until=None if until is None else moment(until))
    return Call("POST", "v1", "alerts", alert, "snooze", result=Alert, body=body)


def dismiss(alert: str, false_alarm: bool, count: int | None) -> Call[Dismissal]:
    body = settings(false_alarm=false_alarm, count=count)
    return Call("POST", "v1", "alerts", alert, "dismiss", result=Dismissal, body=body)


def samples(room: str, **query: Any) -> Call[Page[Sample]]:
    return Call("GET", "v1", "rooms", room, "samples", result=Page[Sample], query=query)


def add_sample(room: str, task: str, label: str | int, start: Moment, end: Moment) -> Call[Sample]:
    body = {"task": task, "label": label, "from": moment(start), "to": moment(end)}
    return Call("POST", "v1", "rooms", room, "samples", result=Sample, body=body)


def upload_sample(room: str, file: File, fields: Mapping[str, Any]) -> Call[Sample]:
    files = {"file": upload(file, "capture.dat")}
    return Call("POST", "v1", "rooms", room, "samples", result=Sample, fields=fields, files=files)


def delete_sample(room: str, sample: str) -> Call[None]:
    return Call("DELETE", "v1", "rooms", room, "samples", sample, result=type(None))


def adapt(room: str, body: Mapping[str, Any]) -> Call[Job]:
    return Call("POST", "v1", "rooms", room, "adaptations", result=Job, body=body)


def recalibrate(room: str, body: Mapping[str, Any]) -> Call[Job]:
    return Call("POST", "v1", "admin", "rooms", room, "recalibrate", result=Job, body=body)


def job(job: str) -> Call[Job]:
    return Call("GET", "v1", "jobs", job, result=Job)


def cancel_job(job: str) -> Call[Job]:
    return Call("POST", "v1", "jobs", job, "cancel", result=Job)


def versions(room: str, task: str | None) -> Call[Page[RoomVersion]]:
    return Call("GET", "v1", "rooms", room, "models", result=Page[RoomVersion], query={"task": task})


def activate(room: str, version: int) -> Call[RoomVersion]:
    return Call("POST", "v1", "rooms", room, "models", str(version), "activate", result=RoomVersion)


def roll_back(room: str, task: str) -> Call[Rollback]:
    return Call("POST", "v1", "rooms", room, "models", "rollback", result=Rollback, query={"task": task})


def models() -> Call[Page[ModelCard]]:
    return Call("GET", "v1", "models", result=Page[ModelCard])


def model(name: str) -> Call[ModelCard]:
    return Call("GET", "v1", "models", name, result=ModelCard)


def add_model(file: File, card: File, core: File | None) -> Call[ModelCard]:
    files = {"file": upload(file, "model.onnx"), "card": upload(card, "card.toml")}
    if core is not None:
        files["core"] = upload(core, "core.npz")
    return Call("POST", "v1", "models", result=ModelCard, files=files)


def keys() -> Call[Page[Key]]:
    return Call("GET", "v1", "keys", result=Page[Key])


def create_key(role: Role, room: str | None, name: str, expires_in_s: int | None) -> Call[NewKey]:
    body = settings(role=role, room=room, name=name, expires_in_s=expires_in_s)
    return Call("POST", "v1", "keys", result=NewKey, body=body)


def revoke_key(key: str) -> Call[None]:
    return Call("DELETE", "v1", "keys", key, result=type(None))
