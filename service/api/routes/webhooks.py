"""Webhooks: where events are to be posted; an admin of one room sees and makes those of that room."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path
from starlette.responses import Response

from service.api.answers import answer, page, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.webhooks import (
    NewWebhook,
    ReplayBody,
    Webhook,
    WebhookBody,
    WebhookPage,
    WebhookReplay,
    WebhookTest,
)
from service.api.problems import Problem
from service.api.routes.rooms import check_rooms
from service.api.webhook_documents import webhook_documents
from service.outlets.webhooks.address import AddressRule
from service.outlets.webhooks.sealing import SealError
from service.outlets.webhooks.shop import Shop, seal_of
from service.outlets.webhooks.signing import new_secret
from service.outlets.webhooks.trial import send_test
from service.store.eventlog import read_events, read_head
from service.store.keys import Principal, Role
from service.store.webhooks import (
    MOST,
    StoredWebhook,
    add_webhook,
    ask_replay,
    delete_webhook,
    get_webhook,
    list_webhooks,
)
from service.view.selection import event_types

router = APIRouter(tags=["webhooks"])
WebhookId = Annotated[str, Path(max_length=64)]


@router.get("/v1/webhooks", response_model=WebhookPage, **guarded(Role.ADMIN))
def read_webhooks(context: Ctx, caller: Caller) -> Response:
    """Webhooks that the caller may see, each with how it fares; without their secrets."""
    seen = [one for one in list_webhooks(context.store) if _may(caller, one)]
    return page(webhook_documents(context.store, seen), None)


@router.post("/v1/webhooks", status_code=201, response_model=NewWebhook, **guarded(Role.ADMIN, secret=True))
def make_webhook(body: WebhookBody, context: Ctx, caller: Caller) -> Response:
    """Make a webhook; its secret is told in this answer and never again. It begins with the next event."""
    _check(body, context, caller)
    check_rooms(context.store, "rooms", body.rooms or [])
    secret = new_secret()
    made = add_webhook(
        context.store,
        body.model_dump(),
        secret=_sealed(context, secret),
        room=caller.room,
        actor=caller.actor,
    )
    if made is None:
        raise Problem("too-many-webhooks", f"the site has {MOST} webhooks already")
    context.line.publish("webhooks", {})
    headers = {"Location": f"/v1/webhooks/{made.webhook}"}
    return answer({"secret": secret, **webhook_documents(context.store, [made])[0]}, 201, headers)


@router.get("/v1/webhooks/{webhook}", response_model=Webhook, **guarded(Role.ADMIN))
def read_webhook(webhook: WebhookId, context: Ctx, caller: Caller) -> Response:
    """One webhook and how it fares."""
    return answer(webhook_documents(context.store, [_find(webhook, context, caller)])[0])


@router.delete("/v1/webhooks/{webhook}", status_code=204, response_class=Response, **guarded(Role.ADMIN))
def end_webhook(webhook: WebhookId, context: Ctx, caller: Caller) -> Response:
    """Forget a webhook: nothing more is delivered."""
    delete_webhook(context.store, _find(webhook, context, caller).webhook, actor=caller.actor)
    context.line.publish("webhooks", {})
    return Response(status_code=204)


@router.post("/v1/webhooks/{webhook}/test", response_model=WebhookTest, **guarded(Role.ADMIN))
async def test_webhook(webhook: WebhookId, context: Ctx, caller: Caller) -> Response:
    """Post a test event now, and say what the receiver answered; also to a disabled webhook."""
    found = await to_thread.run_sync(_find, webhook, context, caller)
    shop = await to_thread.run_sync(Shop.open, context.settings, context.store)
    try:
        met = await send_test(found, shop)
    except SealError as error:
        raise Problem("secret-unreadable", str(error)) from error
    told = {"delivered": met.delivered, "status": met.status, "reason": met.reason}
    return answer({**told, "latency_ms": round(met.latency_s * 1e3, 1)})


@router.post(
    "/v1/webhooks/{webhook}/replay", status_code=202, response_model=WebhookReplay, **guarded(Role.ADMIN)
)
def replay_webhook(webhook: WebhookId, body: ReplayBody, context: Ctx, caller: Caller) -> Response:
    """Deliver again what comes after a number, in order, with the same ids; enables a disabled webhook."""
    found = _find(webhook, context, caller)
    newest = read_head(context.store)
    if body.after is not None and body.after > newest:
        raise unfit("after", f"the newest event has the number {newest}")
    after = ask_replay(context.store, found.webhook, body.after, actor=caller.actor)
    context.line.publish("webhooks", {})
    rest = read_events(context.store, after=after, limit=1)
    return answer({"after": after, "complete": rest.complete}, 202)


def _find(webhook: str, context: Context, caller: Principal) -> StoredWebhook:
    found = get_webhook(context.store, webhook)
    if found is None or not _may(caller, found):
        raise Problem("webhook-not-found", f"no webhook {webhook!r}")
    return found


def _may(caller: Principal, webhook: StoredWebhook) -> bool:
    return caller.room is None or caller.room == webhook.room


def _check(body: WebhookBody, context: Context, caller: Principal) -> None:
    section = context.settings.outlets.webhooks
    if not section.enabled:
        raise Problem("webhooks-off", "outlets.webhooks.enabled is false at this site")
    if caller.room is not None and body.rooms not in (None, [caller.room]):
        raise Problem("forbidden", f"the key is for room {caller.room}")
    try:
        AddressRule(section.allow_http, section.allow_private).check_url(body.url)
    except ValueError as error:
        raise unfit("url", str(error)) from None
    try:
        event_types(body.types or ())
    except ValueError as error:
        raise unfit("types", str(error)) from None


def _sealed(context: Context, secret: str) -> str:
    try:
        return seal_of(context.settings).seal(secret)
    except SealError as error:
        raise Problem("secret-unreadable", str(error)) from error
