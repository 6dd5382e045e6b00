"""Secondary screenings: what a search found is a label of the walk that an alert was about."""

from functools import partial
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Path
from starlette.responses import Response

from service.api.alert_samples import label_span
from service.api.answers import Cursor, Limit, answer, page
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.alerts import OutcomeBody, Screening, ScreeningPage
from service.api.problems import Problem
from service.store import screenings as held
from service.store.alerts import alert_span
from service.store.keys import Principal, Role
from service.store.samples import Asked

router = APIRouter(tags=["alerts"])
ScreeningId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


@router.get("/v1/screenings", response_model=ScreeningPage, **guarded(Role.OPERATOR))
def read_screenings(
    context: Ctx,
    caller: Caller,
    state: Literal["open", "closed"] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Screenings, newest first: one of every alert about a suspicious object."""
    scope = f"screenings {state}"
    before = None if cursor is None else unpack_cursor(cursor, scope, tuple[int, str])
    items, last = held.screening_page(
        context.store, state=state, room=caller.room, limit=limit, before=before
    )
    return page([held.document(one) for one in items], None if last is None else pack_cursor(last, scope))


@router.post("/v1/screenings/{screening}/outcome", response_model=Screening, **guarded(Role.OPERATOR))
async def close_screening(
    screening: ScreeningId, body: OutcomeBody, context: Ctx, caller: Caller
) -> Response:
    """Tell what was found, once: the walk's windows become a sample with that label, if they are in memory.

    The item is closed whatever becomes of the sample; `reason` says why there is none, or it was rejected.
    """
    item = await anyio.to_thread.run_sync(_close, context, caller, screening, body.found)
    span = await anyio.to_thread.run_sync(alert_span, context.store, item.alert_id)
    asked = Asked(item.room, "suspicious_object", body.found, from_ns=0, to_ns=0, actor=caller.actor)
    from_ns, to_ns = (None, None) if span is None else (span.from_ns, span.to_ns)
    labelled = await label_span(context, asked, from_ns, to_ns)
    noted = partial(held.note_outcome, context.store, screening, labelled.note())
    await anyio.to_thread.run_sync(noted)
    return answer(held.document(await anyio.to_thread.run_sync(_item, context, caller, screening)))


def _close(context: Context, caller: Principal, screening: str, found: str) -> held.Screening:
    item = _item(context, caller, screening)
    if not held.close(context.store, screening, found, actor=caller.actor):
        raise Problem("screening-closed", f"screening {screening} has its outcome")
    return item


def _item(context: Context, caller: Principal, screening: str) -> held.Screening:
    """The item, if the key covers its room: of others nobody learns that they exist."""
    found = held.get_screening(context.store, screening)
    if found is None or not caller.sees(found.room):
        raise Problem("screening-not-found", f"no screening {screening!r}")
    return found
