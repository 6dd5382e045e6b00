"""The specification documents and the pages behind problem types; open to everybody."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from service.api.answers import tagged
from service.api.asyncapi import asyncapi_document
from service.api.auth import Ctx
from service.api.problems import Problem, problem_page

router = APIRouter(tags=["documents"])


@router.get("/v1/openapi.json", response_model=dict[str, Any])
def read_openapi(request: Request) -> Response:
    """This API as an OpenAPI 3.1 document."""
    return tagged(request, request.app.openapi())


@router.get("/v1/asyncapi.json", response_model=dict[str, Any])
def read_asyncapi(request: Request, context: Ctx) -> Response:
    """The alert stream, and what is published over MQTT, as an AsyncAPI 3 document."""
    return tagged(request, asyncapi_document(context.settings.outlets.mqtt))


@router.get("/problems/{kind}", response_class=HTMLResponse)
def read_problem(kind: Annotated[str, Path(max_length=64)]) -> Response:
    """What a problem's `type` means and what to do about it."""
    text = problem_page(kind)
    if text is None:
        raise Problem("not-found", f"no kind of problem {kind!r}")
    return HTMLResponse(text)
