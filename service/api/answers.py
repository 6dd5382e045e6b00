"""Answers: JSON bodies, entity tags, preconditions, times in queries."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from service.api.problems import Problem
from service.state import unix_ns

MAX_INT64 = 2**63 - 1
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def page(items: list[Any], next_cursor: str | None) -> Response:
    """A list's envelope."""
    return answer({"items": items, "next_cursor": next_cursor})


def tagged_page(request: Request, items: list[Any]) -> Response:
    """A list's envelope, whole, with an entity tag."""
    return tagged(request, {"items": items, "next_cursor": None})


def tagged(request: Request, body: object, etag: str | None = None, status: int = 200) -> Response:
    """A JSON response with an entity tag (of its content by default); 304 if the caller has it already."""
    content = msgspec.json.encode(body)
    etag = etag or f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.method == "GET" and _listed(request.headers.get("if-none-match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, status, headers, "application/json")


def check_preconditions(request: Request, current: str | None) -> None:
    """Compare If-Match and If-None-Match of a write with the entity tag as it stands (None: not there).

    Raises:
        Problem: precondition-failed, with the tag that stands.
    """
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if wanted is not None and not _listed(wanted, current):
        raise _changed(f"If-Match is {wanted[:80]}", current)
    if unwanted is not None and _listed(unwanted, current):
        raise _changed(f"If-None-Match is {unwanted[:80]}", current)


def _changed(condition: str, current: str | None) -> Problem:
    stands = "it does not exist" if current is None else f"its ETag is {current}"
    return Problem("precondition-failed", f"{condition}, but {stands}", {"etag": current})


def _listed(header: str | None, etag: str | None) -> bool:
    """Whether the header's list of tags, or `*`, covers a tag (RFC 9110, 13.1)."""
    if header is None or etag is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    # Behind a dash stands what is told beside the configuration: a write compares the revision alone.
    revisions = {f'{tag.partition("-")[0]}"' for tag in tags if "-" in tag}
    return "*" in tags or etag in tags | revisions


def time_ns(name: str, text: str | None) -> int | None:
    """A time of a query as Unix nanoseconds.

    Raises:
        Problem: validation; not RFC 3339 with an offset, or out of range.
    """
    if text is None:
        return None
    try:
        # A plus sign arrives as a space when the caller forgot to escape it.
        moment = unix_ns(text.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        why = str(error)
        advice = "" if "write e.g." in why else "; write e.g. 2026-01-31T12:00:00Z"
        raise misfit(name, why + advice) from error
    if not 0 <= moment <= MAX_INT64:
        raise misfit(name, "out of range")
    return moment


def name_list(text: str | None) -> tuple[str, ...] | None:
    """A comma-separated list of a query; None for all."""
    if text is None:
        return None
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def unfit(field: str, message: str) -> Problem:
    """A field of the body does not fit, and why."""
    errors = [{"loc": ["body", field], "msg": message, "type": "value_error"}]
    return Problem("validation", f"body.{field}: {message}", {"errors": errors})


def misfit(name: str, message: str) -> Problem:
    """A query parameter does not fit, and why."""
    return Problem(
        "validation",
        f"query parameter {name}: {message}",
        {"errors": [{"loc": ["query", name], "msg": message, "type": "value_error"}]},
    )
