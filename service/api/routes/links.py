"""Links: who sends frames, to which room they belong, and how well they deliver."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from drivers import registry
from service.api.answers import answer, check_preconditions, tagged, tagged_page, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.links import Link, LinkBody, LinkBodyOrLink, LinkPage, QualityPage
from service.api.problems import Problem
from service.api.quality import link_quality
from service.api.routes.rooms import announce_rooms, no_room
from service.rooms.config import Name
from service.store.baselines import read_baselines
from service.store.keys import Principal, Role
from service.store.links import LinkRecord, delete_link, get_link, list_links, put_link
from service.store.rooms import UNKNOWN_NIC, get_room

router = APIRouter(tags=["links"])
LinkStatus = Literal["ok", "lost", "waiting", "unknown", "unassigned"]


@router.get("/v1/links", response_model=LinkPage, **guarded(Role.VIEWER))
def read_links(
    request: Request,
    context: Ctx,
    caller: Caller,
    status: Annotated[LinkStatus | None, Query(description="Only links in this status.")] = None,
) -> Response:
    """Every link, and senders that belong to none as `unassigned`."""
    stored = list_links(context.store, room=caller.room)
    held = read_baselines(context.store, caller.room)
    items = [_document(record, context, held.get((record.room, record.link))) for record in stored]
    if caller.room is None:
        known = {record.link for record in stored}
        items += [
            _unassigned(link, facts, context)
            for link, facts in sorted(context.watch.unassigned.items())
            if link not in known
        ]
    return tagged_page(request, [item for item in items if status is None or item["status"] == status])


@router.get("/v1/links/{link}", response_model=Link, **guarded(Role.VIEWER))
def read_link(link: Name, request: Request, context: Ctx, caller: Caller) -> Response:
    """One link, with its ETag; an unassigned sender has none."""
    record = get_link(context.store, link)
    if record is None:
        facts = context.watch.unassigned.get(link)
        if facts is None or caller.room is not None:
            raise _no_link(link)
        return answer(_unassigned(link, facts, context))
    _check_scope(caller, record)
    return _told(request, record, context)


@router.put(
    "/v1/links/{link}",
    response_model=Link,
    responses={201: {"model": Link}},
    **guarded(Role.ADMIN, whole_site=True),
)
def write_link(link: Name, body: LinkBodyOrLink, request: Request, context: Ctx, caller: Caller) -> Response:
    """Create the link (201) or change it (200), for example to assign an unassigned sender to a room.

    What GET told can be changed and sent back: of it `room`, `nic` and `name` count.
    """
    if body.room is not None and get_room(context.store, body.room) is None:
        raise no_room(body.room)
    record, created = put_link(
        context.store,
        link,
        room=body.room,
        nic=_nic(link, body, context),
        doc={"name": body.name},
        check=lambda before: check_preconditions(request, before.etag if before else None),
        actor=caller.actor,
    )
    announce_rooms(context)
    return _told(request, record, context, 201 if created else 200)


@router.delete(
    "/v1/links/{link}",
    status_code=204,
    response_class=Response,
    **guarded(Role.ADMIN, whole_site=True),
)
def erase_link(link: Name, request: Request, context: Ctx, caller: Caller) -> Response:
    """Forget the link; if it still sends, it appears as unassigned."""

    def check(before: LinkRecord | None) -> None:
        if before is None:
            raise _no_link(link)
        check_preconditions(request, before.etag)

    delete_link(context.store, link, check=check, actor=caller.actor)
    announce_rooms(context)
    return Response(status_code=204)


@router.get("/v1/rooms/{room}/quality", response_model=QualityPage, **guarded(Role.VIEWER))
def read_quality(room: Name, context: Ctx) -> Response:
    """How well each link of the room delivers."""
    if get_room(context.store, room) is None:
        raise no_room(room)
    watch = context.watch
    known = read_baselines(context.store, room)
    items = [
        link_quality(
            record.link,
            room,
            record.nic,
            watch.links.get(record.link),
            watch,
            baseline=known.get((room, record.link)),
        )
        for record in list_links(context.store, room=room)
    ]
    drift = max((one["drift_score"] for one in items if one["drift_score"] is not None), default=None)
    return answer(
        {
            "room": room,
            "worker_up": watch.worker_up,
            "drift_score": drift,
            "items": items,
            "next_cursor": None,
        }
    )


def _nic(link: str, body: LinkBody, context: Context) -> str:
    """The NIC that is asked for, or the one already known.

    Raises:
        Problem: validation; there is no such NIC.
    """
    if body.nic is None:
        stored = get_link(context.store, link)
        heard = context.watch.unassigned.get(link, {})
        return stored.nic if stored else str(heard.get("nic") or UNKNOWN_NIC)
    if body.nic not in {UNKNOWN_NIC, *registry.names()}:
        known = ", ".join(registry.names())
        raise unfit("nic", f"no NIC named {body.nic!r}; known: {known}")
    return body.nic


def _told(request: Request, record: LinkRecord, context: Context, status: int = 200) -> Response:
    """The link, with a tag of its revision and of all that is told beside it."""
    document = _document(record, context, _baseline(record, context))
    told = hashlib.sha256(msgspec.json.encode(document)).hexdigest()[:12]
    return tagged(request, document, f'"{record.revision}-{told}"', status)


def _baseline(record: LinkRecord, context: Context) -> dict[str, Any] | None:
    if record.room is None:
        return None
    return read_baselines(context.store, record.room).get((record.room, record.link))


def _document(record: LinkRecord, context: Context, baseline: Mapping[str, Any] | None) -> dict[str, Any]:
    watch = context.watch
    facts = watch.links.get(record.link) or watch.unassigned.get(record.link)
    document = link_quality(record.link, record.room, record.nic, facts, watch, baseline=baseline)
    if record.room is None:
        document["status"] = "unassigned"
    return {**document, "name": record.doc.get("name", ""), "revision": record.revision}


def _unassigned(link: str, facts: Mapping[str, Any], context: Context) -> dict[str, Any]:
    document = link_quality(link, None, None, facts, context.watch)
    return {**document, "status": "unassigned", "name": "", "revision": None}


def _check_scope(caller: Principal, record: LinkRecord) -> None:
    if not caller.sees(record.room):
        raise Problem("forbidden", f"the key is for room {caller.room}")


def _no_link(link: str) -> Problem:
    return Problem("link-not-found", f"no link {link!r}")
