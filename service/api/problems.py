"""Errors as RFC 9457 problem documents with stable types, and the pages behind those types."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Scope

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, what it is called, and what to do about it."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "unauthenticated": Kind(
        401, "A key is needed", "Send `Authorization: Bearer KEY`; `roomtone keys create` makes a key."
    ),
    "forbidden": Kind(
        403,
        "The key may not do this",
        "The key's role or room does not cover the request; ask an admin for a key that does.",
    ),
    "cross-origin": Kind(
        403, "Request from another site", "Pages of other sites may not call this service from a browser."
    ),
    "not-found": Kind(404, "No such resource", "Check the path against /v1/openapi.json."),
    "room-not-found": Kind(
        404, "No such room", "GET /v1/rooms lists the rooms; PUT /v1/rooms/{room} creates one."
    ),
    "link-not-found": Kind(404, "No such link", "GET /v1/links lists known links and unassigned senders."),
    "model-not-found": Kind(404, "No such model", "GET /v1/models lists the models of this site's shelves."),
    "model-there": Kind(
        409, "A model of that name is there already", "Give the card another name; models are not replaced."
    ),
    "model-missing": Kind(
        409,
        "The model that the version stands on is not there",
        "Put `model` of the digest `model_digest` back on a shelf that `models.shelves` names, or start an "
        "adaptation: it learns the room anew from its samples.",
    ),
    "model-refused": Kind(
        422,
        "The model breaks the contract",
        "`broken` lists every rule it breaks; docs/onnx-contract.md has them all.",
    ),
    "checker-missing": Kind(
        503,
        "Models cannot be checked here",
        "Install the extra `train` beside the API, or use `roomtone models add` where it is installed.",
    ),
    "job-not-found": Kind(404, "No such job", "The 202 answer that started it names it in `Location`."),
    "version-not-found": Kind(
        404, "No such version", "GET /v1/rooms/{room}/models lists the versions of the room's own heads."
    ),
    "zone-not-found": Kind(
        404, "No such zone", "A zone is named by the `zones` of one or more rooms; GET /v1/rooms lists them."
    ),
    "job-taken": Kind(
        409,
        "Another job of this room and task is not over",
        "Wait for the job that `job` names, or POST /v1/jobs/{job}/cancel.",
    ),
    "room-paused": Kind(
        409,
        "The room is paused",
        "GET /v1/admin/rooms/{room}/pause says until when; POST /v1/admin/rooms/{room}/resume ends it.",
    ),
    "illegal-step": Kind(
        409, "The job cannot go there from where it is", "GET /v1/jobs/{job} says where it stands."
    ),
    "nothing-to-roll-back": Kind(
        409, "No version of the room's own is active", "The shipped model serves, or none; see /v1/models."
    ),
    "sample-not-found": Kind(
        404, "No such sample", "GET /v1/rooms/{room}/samples lists the samples of a room."
    ),
    "alert-not-found": Kind(404, "No such alert", "GET /v1/alerts lists the alerts."),
    "alert-over": Kind(
        409, "The alert is over", "GET /v1/alerts/{alert} says how it ended; a cleared one can be dismissed."
    ),
    "screening-not-found": Kind(404, "No such screening", "GET /v1/screenings lists the screenings."),
    "screening-closed": Kind(
        409, "The screening is closed", "An outcome is told once; DELETE its sample where it was wrong."
    ),
    "key-not-found": Kind(404, "No such key", "GET /v1/keys lists the keys by id."),
    "webhook-not-found": Kind(404, "No such webhook", "GET /v1/webhooks lists those that the key may see."),
    "too-many-webhooks": Kind(
        409, "The site has as many webhooks as it may", "DELETE one that nobody needs any more."
    ),
    "webhooks-off": Kind(
        409, "Webhooks are turned off", "Set `outlets.webhooks.enabled` in the settings of the site."
    ),
    "secret-unreadable": Kind(
        500,
        "The key file of the webhooks cannot be used",
        "Restore the file that `detail` names, or delete the webhook and make it anew.",
    ),
    "method-not-allowed": Kind(405, "Method not allowed", "The Allow header lists the methods that are."),
    "not-acceptable": Kind(
        406, "Not in a form you accept", "Send `Accept: application/json`, or leave the header out."
    ),
    "unsupported-media-type": Kind(
        415, "Body of a type that is not read here", "Send `Content-Type: application/json`."
    ),
    "bad-request": Kind(400, "Unreadable request", "Check the syntax of the request."),
    "bad-cursor": Kind(
        400, "Cursor is not one of ours", "Pass `next_cursor` of the page before, unchanged, or none."
    ),
    "precondition-failed": Kind(
        412, "It has changed meanwhile", "GET it again and repeat the change with its new ETag."
    ),
    "body-too-large": Kind(
        413,
        "Request body too large",
        "Send less, or raise `server.max_body_bytes` (captures: `samples.max_upload_mb`) in the settings.",
    ),
    "span-not-held": Kind(
        409,
        "That span is not in memory",
        "`held` says from when to when the room can be labelled, in capture time; null: nothing arrived "
        "since the worker started. `samples.buffer_minutes` and `samples.buffer_mb` say how much is kept.",
    ),
    "upload-unusable": Kind(
        422,
        "The capture cannot be used",
        "`counts` says what became of its frames; `roomtone inspect FILE` tells what is in it.",
    ),
    "idempotency-key-reused": Kind(
        422, "The key stands for another request", "Use a new Idempotency-Key for every new request."
    ),
    "request-in-flight": Kind(
        409, "The same request is being worked on", "Wait for its answer, or repeat it a little later."
    ),
    "secret-told-once": Kind(
        409,
        "Done before, and its secret was told then",
        "The first answer held the secret. If it is lost, delete what was made and make another. An answer "
        "about a room that was erased or deleted before it was told is not kept either.",
    ),
    "rate-limited": Kind(
        429,
        "Too many requests",
        "Wait for the seconds that `Retry-After` names; `server.limits` in the settings raises the limits.",
    ),
    "wrong-host": Kind(
        421,
        "Not the name of this service",
        "Use an IP address, localhost, or a name listed in `server.names` of the site's settings.",
    ),
    "validation": Kind(422, "A value does not fit", "`errors` says which values, where, and why."),
    "internal": Kind(
        500, "Something broke in the service", "The service's log has the cause under this request_id."
    ),
    "store-unavailable": Kind(
        503, "The store does not answer", "It is busy or its disk is in trouble; try again shortly."
    ),
    "worker-down": Kind(
        503,
        "Nobody answered in time",
        "The worker is down or busy, and the sample was not taken; /readyz says which. Try again.",
    ),
    "identity-provider-down": Kind(
        503,
        "The identity provider does not answer",
        "Tokens cannot be checked without its keys (`auth.oidc.jwks_url`); holders of keys go on. Try again.",
    ),
    "not-ready": Kind(503, "The service cannot answer yet", "`checks` says which part is missing and why."),
}


@dataclass(slots=True)
class Problem(Exception):  # noqa: N818 - the RFC's word
    """A refusal to be sent to the caller. `kind` is a key of `KINDS`; `extra` stands beside the members."""

    kind: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def kind_of_status(status: int) -> str:
    """The general kind of problem for a status that a library raised."""
    general = {
        401: "unauthenticated",
        404: "not-found",
        405: "method-not-allowed",
        406: "not-acceptable",
        413: "body-too-large",
        415: "unsupported-media-type",
        429: "rate-limited",
    }
    return general.get(status, "bad-request" if status < 500 else "internal")


def problem_response(problem: Problem, request_id: str) -> Response:
    """The problem as a response."""
    kind = KINDS[problem.kind]
    body = {
        "type": f"/problems/{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "request_id": request_id,
        **problem.extra,
    }
    headers = dict(problem.headers)
    if kind.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="roomtone"')
    return Response(msgspec.json.encode(body), kind.status, headers, MEDIA_TYPE)


def request_id_of(scope: Scope) -> str:
    """The id that the outermost layer gave this request."""
    return str(scope.get("state", {}).get("request_id", ""))


def problem_page(slug: str) -> str | None:
    """The page behind a problem's type, as HTML; None if there is no such kind."""
    kind = KINDS.get(slug)
    if kind is None:
        return None
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(kind.title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/style.css">'
        f'<main class="page"><h1>{html.escape(kind.title)}</h1><p>Status {kind.status}, type '
        f"<code>/problems/{slug}</code></p><p>{html.escape(kind.advice)}</p></main></html>"
    )
