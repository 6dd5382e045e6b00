"""Rooms."""

from collections.abc import Collection
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.answers import check_preconditions, tagged, tagged_page, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.documents.rooms import Room, RoomBody, RoomPage
from service.api.problems import Problem
from service.rooms.config import Name, RoomConfig
from service.state import rfc3339
from service.store.engine import Store
from service.store.keys import Role
from service.store.rooms import RoomRecord, delete_room, get_room, list_rooms, put_room

router = APIRouter(tags=["rooms"])


@router.get("/v1/rooms", response_model=RoomPage, **guarded(Role.VIEWER))
def read_rooms(request: Request, context: Ctx, caller: Caller) -> Response:
    """Every room the key covers."""
    return tagged_page(request, [_document(one) for one in list_rooms(context.store, only=caller.room)])


@router.get("/v1/rooms/{room}", response_model=Room, **guarded(Role.VIEWER))
def read_room(room: Name, request: Request, context: Ctx) -> Response:
    """One room, with its ETag."""
    record = get_room(context.store, room)
    if record is None:
        raise no_room(room)
    return tagged(request, _document(record), record.etag)


@router.put("/v1/rooms/{room}", response_model=Room, responses={201: {"model": Room}}, **guarded(Role.ADMIN))
def write_room(room: Name, body: RoomBody, request: Request, context: Ctx, caller: Caller) -> Response:
    """Create the room (201) or replace its document (200). Its links change only where `links` is given.

    What GET told can be changed and sent back: `room`, `revision`, `created_at`, `updated_at` are ignored.
    """
    if caller.room is not None and body.links:
        body = _without_links(body, get_room(context.store, room))
    heard = context.watch.unassigned
    record, created = put_room(
        context.store,
        room,
        body,
        check=lambda before: check_preconditions(request, before.etag if before else None),
        actor=caller.actor,
        nics={link: str(facts["nic"]) for link, facts in heard.items() if facts.get("nic")},
    )
    announce_rooms(context)
    return tagged(request, _document(record), record.etag, 201 if created else 200)


def _without_links(body: RoomConfig, before: RoomRecord | None) -> RoomConfig:
    """The document without the links, for who may not change them: they must be those that are there.

    Raises:
        Problem: forbidden.
    """
    if before is None or set(body.links) != set(before.config.links):
        raise Problem("forbidden", "links concern the whole site, the key is for one room")
    return RoomConfig(**{name: getattr(body, name) for name in body.model_fields_set - {"links"}})


@router.delete("/v1/rooms/{room}", status_code=204, response_class=Response, **guarded(Role.ADMIN))
async def erase_room(room: Name, request: Request, context: Ctx, caller: Caller) -> Response:
    """Erase the room and what is stored of it; its links become unassigned, keys and webhooks for it end."""

    def check(before: RoomRecord | None) -> None:
        if before is None:
            raise no_room(room)
        check_preconditions(request, before.etag)

    erased = partial(delete_room, context.store, room, check=check, actor=caller.actor)
    await context.long_work.run(erased)
    context.keys.forget()
    context.line.publish("webhooks", {})
    announce_rooms(context)
    return Response(status_code=204)


def announce_rooms(context: Ctx) -> None:
    """Tell the other parts that rooms or links changed, and the stream that something was appended."""
    context.line.publish("rooms", {})
    context.hub.wake()


def no_room(room: str) -> Problem:
    """There is no room of that name."""
    return Problem("room-not-found", f"no room {room!r}")


def check_rooms(store: Store, field: str, names: Collection[str]) -> None:
    """See that rooms named in a body are there: what waits for a room with a slip in its name waits for ever.

    Raises:
        Problem: validation, with the name.
    """
    there = {one.room for one in list_rooms(store)} if names else set()
    for name in names:
        if name not in there:
            raise unfit(field, f"no room {name!r}; make it first")


def _document(record: RoomRecord) -> dict[str, Any]:
    return {
        "room": record.room,
        "revision": record.revision,
        **record.config.model_dump(mode="json"),
        "created_at": rfc3339(record.created_ns),
        "updated_at": rfc3339(record.updated_ns),
    }
