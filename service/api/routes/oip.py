"""Open Inference Protocol v2 over the shelves' models and the rooms' own heads (docs/inference-protocol.md).

What the protocol answers for has its own form of error, ``{"error": …}``; what stands in front of it (keys,
rights, sizes, host names) answers with problem+json as everywhere.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from models.zoo import CardError
from service.api.answers import answer
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.oip import (
    InferenceError,
    InferenceRequest,
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from service.api.problems import Problem
from service.inference.inference import infer, metadata
from service.inference.refusal import InferenceRefusal, bad
from service.inference.shelf import Found
from service.store.keys import Principal, Role

router = APIRouter(tags=["inference"])
BINARY = "Inference-Header-Content-Length"
T = TypeVar("T")

_FAILURES: dict[int | str, dict[str, Any]] = {
    400: {"model": InferenceError, "description": "The request does not fit the model"},
    404: {"model": InferenceError, "description": "No such model or version"},
    500: {"model": InferenceError, "description": "The model failed"},
    503: {"model": InferenceError, "description": "The model cannot be loaded, or too many wait"},
}
_BODY = {"application/json": {"schema": InferenceRequest.model_json_schema()}}
ModelName = Annotated[str, Path(description="A card's name, or `<task>@<room>` for a room's own head.")]
ModelVersion = Annotated[str, Path(description="The card's version, or the number of the room's version.")]


@router.get("/v2/health/live", response_model=ServerLive)
async def server_live() -> Response:
    """Whether the API answers."""
    return answer({"live": True})


@router.get("/v2/health/ready", response_model=ServerReady, responses={400: {"model": ServerReady}})
def server_ready(context: Ctx) -> Response:
    """Whether all models can be asked; the protocol wants a 4xx where not. /readyz says more."""
    try:
        context.cards()
    except (CardError, OSError):
        return answer({"ready": False}, 400)
    return answer({"ready": True})


@router.get("/v2", response_model=ServerMetadata, **guarded(Role.VIEWER))
@router.get("/v2/", response_model=ServerMetadata, include_in_schema=False, **guarded(Role.VIEWER))
async def server_metadata() -> Response:
    """The server's name and version; it has no extensions. /v1/models names the models."""
    return answer({"name": "roomtone", "version": version("roomtone"), "extensions": []})


@router.get("/v2/models/{model}", response_model=ModelMetadata, responses=_FAILURES, **guarded(Role.VIEWER))
async def model_metadata(model: ModelName, context: Ctx, caller: Caller) -> Response:
    """Names, types and shapes of a model's tensors."""
    return await _told(context, caller, model, None, metadata)


@router.get(
    "/v2/models/{model}/versions/{number}",
    response_model=ModelMetadata,
    responses=_FAILURES,
    **guarded(Role.VIEWER),
)
async def version_metadata(model: ModelName, number: ModelVersion, context: Ctx, caller: Caller) -> Response:
    """The same of one version."""
    return await _told(context, caller, model, number, metadata)


@router.get(
    "/v2/models/{model}/ready", response_model=ModelReady, responses=_FAILURES, **guarded(Role.VIEWER)
)
async def model_ready(model: ModelName, context: Ctx, caller: Caller) -> Response:
    """Whether a model can be asked; it is loaded to find out."""
    return await _told(context, caller, model, None, _is_ready)


@router.get(
    "/v2/models/{model}/versions/{number}/ready",
    response_model=ModelReady,
    responses=_FAILURES,
    **guarded(Role.VIEWER),
)
async def version_ready(model: ModelName, number: ModelVersion, context: Ctx, caller: Caller) -> Response:
    """The same of one version."""
    return await _told(context, caller, model, number, _is_ready)


def _asking() -> dict[str, Any]:
    options = guarded(Role.VIEWER)
    options["openapi_extra"]["requestBody"] = {"required": True, "content": _BODY}
    return {**options, "response_model": InferenceResponse, "responses": _FAILURES}


@router.post("/v2/models/{model}/infer", **_asking())
async def infer_model(model: ModelName, request: Request, context: Ctx, caller: Caller) -> Response:
    """What the model says of one window; of a room's head the active version."""
    return await _infer(context, caller, request, model, None)


@router.post("/v2/models/{model}/versions/{number}/infer", **_asking())
async def infer_version(
    model: ModelName, number: ModelVersion, request: Request, context: Ctx, caller: Caller
) -> Response:
    """The same of one version."""
    return await _infer(context, caller, request, model, number)


async def on_refusal(_: Request, error: Exception) -> Response:
    """The protocol's own form of an error."""
    assert isinstance(error, InferenceRefusal)  # noqa: S101 - registered for this type only
    return answer({"error": error.why}, error.status, error.headers)


async def _infer(
    context: Context, caller: Principal, request: Request, model: str, number: str | None
) -> Response:
    if BINARY in request.headers:
        raise bad(f"{BINARY}: there is no binary data extension here; send tensors as JSON")
    body = await request.body()

    def work() -> dict[str, Any]:
        _check_rights(context, caller, model)
        return infer(context.shelf, model, number, body)

    return answer(await context.desk.do(work))


async def _told(
    context: Context,
    caller: Principal,
    model: str,
    number: str | None,
    tell: Callable[[Found], dict[str, Any]],
) -> Response:
    def work() -> dict[str, Any]:
        _check_rights(context, caller, model)
        return tell(context.shelf.find(model, number))

    return answer(await context.desk.do(work))


def _is_ready(found: Found) -> dict[str, Any]:
    return {"name": found.name, "ready": True}


def _check_rights(context: Context, caller: Principal, model: str) -> None:
    """A key for one room asks that room's head, and models that are of no other room."""
    rooms = context.shelf.rooms_of(model)
    if rooms and not any(caller.sees(room) for room in rooms):
        raise Problem(
            "forbidden", f"the key is for room {caller.room}, the model is of {', '.join(rooms)[:200]}"
        )
