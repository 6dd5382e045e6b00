"""Rooms in the vocabularies of building systems, and the one state that a Thing Description points at."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.answers import tagged
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.problems import Problem
from service.api.routes.rooms import no_room
from service.rooms.config import Name
from service.semantic import brick, haystack, thing
from service.semantic.site import Site, read_site
from service.state import TaskState
from service.store.keys import Role
from service.store.rooms import list_rooms
from service.store.states import read_states
from service.view.overlay import told_states

router = APIRouter(tags=["semantic"])
_TURTLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/turtle": {"schema": {"type": "string"}}}}}
_THING: dict[int | str, dict[str, Any]] = {
    200: {"content": {thing.MEDIA_TYPE: {"schema": {"type": "object"}}}}
}


@router.get("/v1/rooms/{room}/state/{task}", response_model=TaskState, **guarded(Role.VIEWER))
def read_task_state(room: Name, task: Name, request: Request, context: Ctx) -> Response:
    """The latest state of one task of the room."""
    found = read_states(context.store, only=room)
    if not found:
        raise no_room(room)
    for state in told_states(found[0], context.now()):
        if state["task"] == task:
            return tagged(request, state)
    raise Problem("not-found", f"room {room} does not run the task {task!r}")


@router.get("/v1/rooms/{room}/thing", response_class=Response, responses=_THING, **guarded(Role.VIEWER))
def read_thing(room: Name, request: Request, context: Ctx) -> Response:
    """The room as a W3C WoT Thing Description 1.1."""
    site = _site(context, room)
    if not site.rooms:
        raise no_room(room)
    described = thing.thing_description(site, site.rooms[0], str(request.base_url))
    answered = tagged(request, described)
    if answered.status_code == 200:
        answered.headers["content-type"] = thing.MEDIA_TYPE
    return answered


@router.get("/v1/exports/brick.ttl", response_class=Response, responses=_TURTLE, **guarded(Role.VIEWER))
def read_brick(context: Ctx, caller: Caller) -> Response:
    """The rooms that the key covers in Brick 1.4, as Turtle."""
    return Response(brick.turtle(_site(context, caller.room)), media_type="text/turtle")


@router.get("/v1/exports/haystack.json", response_model=dict[str, Any], **guarded(Role.VIEWER))
def read_haystack(request: Request, context: Ctx, caller: Caller) -> Response:
    """The rooms that the key covers in Project Haystack 4: a grid in its JSON encoding."""
    return tagged(request, haystack.grid(_site(context, caller.room)))


def _site(context: Context, only: str | None) -> Site:
    on_bacnet = context.settings.outlets.bacnet is not None
    return read_site(context.store, list_rooms(context.store, only=only), bacnet=on_bacnet)
