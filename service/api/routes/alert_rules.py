"""Alert rules: one list, read and replaced as a whole; the worker judges by the new one at once."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.answers import check_preconditions, tagged
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.alerts import RulePage, RulesBody
from service.rooms.alerting.rules import AlertRule
from service.store.alert_rules import etag_of, list_rules, put_rules
from service.store.keys import Role
from service.store.rooms import list_rooms

router = APIRouter(tags=["alerts"])


@router.get("/v1/alert-rules", response_model=RulePage, **guarded(Role.ADMIN))
def read_rules(request: Request, context: Ctx, caller: Caller) -> Response:
    """All alert rules with the ETag of the list; a key for one room sees those that are about it."""
    rules = list_rules(context.store)
    if caller.room is not None:
        rules = _about(context, caller.room, rules)
    return _answer(request, [rule.model_dump(mode="json") for rule in rules])


@router.put("/v1/alert-rules", response_model=RulePage, **guarded(Role.ADMIN, whole_site=True))
def write_rules(body: RulesBody, request: Request, context: Ctx, caller: Caller) -> Response:
    """Replace all rules. Open alerts whose rule is gone, or no longer covers their room, are cleared.

    `If-Match` with the list's ETag refuses to overwrite what somebody else changed meanwhile.
    """
    after = put_rules(
        context.store, body.items, check=lambda etag: check_preconditions(request, etag), actor=caller.actor
    )
    context.line.publish("alerts", {})
    return _answer(request, after)


def _answer(request: Request, documents: Sequence[dict[str, Any]]) -> Response:
    return tagged(
        request, {"items": documents, "next_cursor": None}, etag_of([dict(one) for one in documents])
    )


def _about(context: Context, room: str, rules: Sequence[AlertRule]) -> list[AlertRule]:
    tags = {one.room: one.config.tags for one in list_rooms(context.store, only=room)}
    return [rule for rule in rules if rule.covers(room, tags.get(room, {}))]
