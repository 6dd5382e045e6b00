"""Labelled samples: a span of what was just seen, or a capture from elsewhere."""

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from service.api.answers import Cursor, Limit, answer, page, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.samples import Sample, SampleBody, SampleForm, SamplePage
from service.api.media import unsupported
from service.api.problems import Problem
from service.api.routes.rooms import no_room
from service.api.sample_request import (
    FORM_KIND,
    JSON_KIND,
    digest_of,
    once_of,
    read_body,
    read_form,
    replayed,
    span_of,
)
from service.api.sampling import take_live, take_upload, window_spec
from service.rooms.config import Name, TaskName
from service.store.keys import Role
from service.store.rooms import get_room
from service.store.samples import Asked, delete_sample, document, sample_page
from service.store.standing import Standing, standing_of

router = APIRouter(tags=["samples"])
MOST_FIELDS = 16
_FIELD_BYTES = 4096
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A repeated request with the same key gets the same answer, for a day.",
    ),
]


def _form_schema() -> dict[str, Any]:
    """Fields of the form and its file, for the OpenAPI document."""
    schema = SampleForm.model_json_schema()
    schema["properties"]["file"] = {
        "type": "string",
        "format": "binary",
        "description": "A capture of any supported NIC, as the card wrote it.",
    }
    schema["required"] = [*schema["required"], "file"]
    return schema


def _posting() -> dict[str, Any]:
    options = guarded(Role.OPERATOR)
    content = {
        JSON_KIND: {"schema": SampleBody.model_json_schema()},
        FORM_KIND: {"schema": _form_schema()},
    }
    options["openapi_extra"]["requestBody"] = {"required": True, "content": content}
    return options


@router.post("/v1/rooms/{room}/samples", status_code=201, response_model=Sample, **_posting())
async def take_sample(
    room: Name, request: Request, context: Ctx, caller: Caller, key: IdempotencyKey = None
) -> Response:
    """Take a labelled sample, out of the last minutes of the room (JSON) or of a capture (form).

    The answer holds the verdict; from a sample whose state is `rejected` nothing is learned. Durable before
    it is answered.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {JSON_KIND, FORM_KIND}:
        raise unsupported(kind, JSON_KIND, FORM_KIND)
    standing = await anyio.to_thread.run_sync(_standing, context, room)
    if kind == FORM_KIND:
        return await _take_upload(standing, request, context, caller, key)
    body = await read_body(request)
    from_ns, to_ns = span_of(body, window_spec(context))
    asked = Asked(room, body.task, str(body.label), from_ns, to_ns, caller.actor, standing=standing)
    once = once_of(key, caller.actor, room, body.model_dump_json())
    return answer(document(await take_live(context, asked, once)), 201, replayed(once))


async def _take_upload(
    standing: Standing, request: Request, context: Ctx, caller: Caller, key: str | None
) -> Response:
    room = standing.room
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=_FIELD_BYTES) as form:
        fields, file = read_form(form)
        await anyio.to_thread.run_sync(_check_room, context, room, fields.link)
        asked = Asked(room, fields.task, fields.label, 0, 0, caller.actor, standing=standing)
        digest = "" if key is None else await anyio.to_thread.run_sync(digest_of, file.file)
        once = once_of(key, caller.actor, room, fields.model_dump_json(), digest)
        sample = await take_upload(context, asked, fields, file.file, once)
        return answer(document(sample), 201, replayed(once))


@router.get("/v1/rooms/{room}/samples", response_model=SamplePage, **guarded(Role.OPERATOR))
def read_samples(
    room: Name, context: Ctx, task: TaskName | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Samples of the room, newest first, without their windows."""
    _check_room(context, room)
    scope = f"samples {room} {task}"
    before = None if cursor is None else unpack_cursor(cursor, scope, tuple[int, str])
    items, last = sample_page(context.store, room, task=task, limit=limit, before=before)
    return page([document(one) for one in items], None if last is None else pack_cursor(last, scope))


@router.delete(
    "/v1/rooms/{room}/samples/{sample}",
    status_code=204,
    response_class=Response,
    **guarded(Role.OPERATOR),
)
def erase_sample(room: Name, sample: Name, context: Ctx, caller: Caller) -> Response:
    """Erase a sample and its windows. What was learned from it stays until it is rolled back."""
    if not delete_sample(context.store, room, sample, actor=caller.actor):
        raise Problem("sample-not-found", f"room {room} has no sample {sample!r}")
    return Response(status_code=204)


def _standing(context: Ctx, room: str) -> Standing:
    """How the room stands before anything is read of what is sent."""
    found = standing_of(context.store, room)
    if found is None:
        raise no_room(room)
    return found


def _check_room(context: Ctx, room: str, link: str | None = None) -> None:
    """See that there is such a room, and that the link is one of its links (if it has any)."""
    found = get_room(context.store, room)
    if found is None:
        raise no_room(room)
    if link is not None and found.config.links and link not in found.config.links:
        raise unfit("link", f"room {room} has the links {', '.join(found.config.links)}")
