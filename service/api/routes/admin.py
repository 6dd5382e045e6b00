"""Keys, tickets and the audit log."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api.answers import Cursor, Limit, answer, page, tagged_page
from service.api.auth import Caller, Ctx, guarded
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.access import AuditPage, KeyBody, KeyPage, NewKey, Ticket
from service.api.problems import Problem
from service.api.routes.rooms import check_rooms
from service.api.tickets import TICKET_S
from service.store.audit import audit_page
from service.store.keys import Role, create_key, list_keys, revoke_key

router = APIRouter(tags=["access"])
Exactly = Annotated[str | None, Query(max_length=200, description="Only entries with exactly this.")]


@router.post("/v1/tickets", status_code=201, response_model=Ticket, **guarded(Role.VIEWER, secret=True))
async def issue_ticket(context: Ctx, caller: Caller) -> Response:
    """A one-use ticket with the caller's own rights, for opening `/v1/alerts/stream?ticket=` in a browser."""
    return answer({"ticket": context.tickets.issue(caller), "expires_in_s": TICKET_S}, 201)


@router.get("/v1/keys", response_model=KeyPage, **guarded(Role.ADMIN, whole_site=True))
def read_keys(request: Request, context: Ctx) -> Response:
    """All keys, without their secrets."""
    return tagged_page(request, [info.document() for info in list_keys(context.store)])


@router.post(
    "/v1/keys", status_code=201, response_model=NewKey, **guarded(Role.ADMIN, whole_site=True, secret=True)
)
def make_key(body: KeyBody, context: Ctx, caller: Caller) -> Response:
    """Make a key; it is told in this answer and never again."""
    check_rooms(context.store, "room", [] if body.room is None else [body.room])
    expires_ns = None if body.expires_in_s is None else time.time_ns() + body.expires_in_s * 10**9
    key, info = create_key(
        context.store,
        Role(body.role),
        actor=caller.actor,
        room=body.room,
        name=body.name,
        expires_ns=expires_ns,
    )
    return answer({"key": key, **info.document()}, 201, {"Location": f"/v1/keys/{info.key_id}"})


@router.delete(
    "/v1/keys/{key_id}", status_code=204, response_class=Response, **guarded(Role.ADMIN, whole_site=True)
)
def end_key(key_id: Annotated[str, Path(max_length=64)], context: Ctx, caller: Caller) -> Response:
    """Revoke a key: it ends at once, with its dashboard sessions and streams."""
    if not revoke_key(context.store, key_id, actor=caller.actor):
        raise Problem("key-not-found", f"no key {key_id!r}")
    context.keys.forget()
    return Response(status_code=204)


@router.get("/v1/audit", response_model=AuditPage, **guarded(Role.ADMIN, whole_site=True))
def read_audit(
    *,
    context: Ctx,
    actor: Exactly = None,
    action: Exactly = None,
    target: Exactly = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who changed what, newest first; `before` and `after` hold what differs, null what was not there."""
    given = {"actor": actor, "action": action, "target": target}
    wanted = {name: value for name, value in given.items() if value is not None}
    scope = f"audit {wanted}"
    before = None if cursor is None else unpack_cursor(cursor, scope, int)
    items, last = audit_page(context.store, limit=limit, before=before, wanted=wanted)
    return page(items, None if last is None else pack_cursor(last, scope))
