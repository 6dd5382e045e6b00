"""The app factory: layers, routes, and the tasks that live as long as the app."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from models.prediction import JsonValue
from service.api import openapi
from service.api.auth import Authenticate
from service.api.context import Context
from service.api.guard import BodyLimit, HostGuard, own_names
from service.api.idempotency import HEADER, Idempotent
from service.api.limits import Limits
from service.api.media import Acceptable
from service.api.observe import Observe
from service.api.problems import Problem, kind_of_status, problem_response, request_id_of
from service.api.routes import (
    adaptations,
    admin,
    documents,
    events,
    health,
    links,
    models,
    oip,
    pages,
    predictions,
    recalibration,
    rooms,
    samples,
    states,
    webhooks,
)
from service.api.routes import stream as stream_route
from service.api.stream.hub import Hub
from service.api.stream.outbox import MAX_WAITING
from service.bus.line import SignalLine
from service.bus.port import Signals
from service.inference.refusal import InferenceRefusal
from service.settings import Settings
from service.store.engine import Store
from service.view.watch import Watch

_ROUTES = (
    health,
    rooms,
    states,
    predictions,
    samples,
    links,
    events,
    models,
    oip,
    adaptations,
    recalibration,
    admin,
    webhooks,
    documents,
    pages,
    stream_route,
)


def create_app(
    settings: Settings,
    store: Store,
    connect: Callable[[], Signals],
    *,
    max_waiting: int = MAX_WAITING,
) -> FastAPI:
    """The API of a site. `connect` opens the API's signals; `max_waiting` bounds a stream client's queue."""
    context = make_context(settings, store, connect, max_waiting)
    server = settings.server
    app = FastAPI(
        title="Roomtone",
        version=version("roomtone"),
        summary="Room sensing with ordinary WiFi",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        middleware=[
            Middleware(Observe, metrics=context.metrics, tls=server.tls_cert is not None),
            Middleware(HostGuard, names=own_names(server), origins=server.cors_origins),
            *_cors(server.cors_origins),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            Middleware(
                BodyLimit,
                limit=server.max_body_bytes,
                uploads=round(settings.samples.max_upload_mb * 2**20),
            ),
            Middleware(Acceptable),
            Middleware(Authenticate, context=context),
            Middleware(Idempotent, store=store),
        ],
        exception_handlers={
            Problem: _on_problem,
            InferenceRefusal: oip.on_refusal,
            HTTPException: _on_http_error,
            RequestValidationError: _on_misfit,
        },
    )
    app.state.context = context
    for module in _ROUTES:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=pages.WEB))
    openapi.install(app)
    return app


def make_context(
    settings: Settings, store: Store, connect: Callable[[], Signals], max_waiting: int
) -> Context:
    """What the routes share, wired to the bus."""
    watch, hub = Watch(), Hub(store, max_waiting=max_waiting)

    def on_signal(topic: str, body: Mapping[str, JsonValue]) -> None:
        if topic == "heartbeat":
            watch.hear(body)
        elif topic == "events":
            hub.wake()

    return Context(
        settings=settings,
        store=store,
        watch=watch,
        hub=hub,
        limits=Limits(settings.server.limits),
        line=SignalLine(connect, on_signal),
    )


def _cors(origins: list[str]) -> list[Middleware]:
    """Leave for pages of the sites that are listed; no cookies, so that they need a key."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "PUT", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", HEADER, "If-Match", "If-None-Match"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
            max_age=600,
        )
    ]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    context.line.start()
    tail = asyncio.create_task(context.hub.run())
    try:
        yield
    finally:
        tail.cancel()
        with suppress(asyncio.CancelledError):
            await tail
        await asyncio.to_thread(context.line.stop)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type only
    return problem_response(error, request_id_of(request.scope))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Errors that the framework raises, in our form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    detail = f"{request.method} {request.url.path[:200]}: {error.detail}"
    problem = Problem(kind_of_status(error.status_code), detail, headers=error.headers or {})
    return problem_response(problem, request_id_of(request.scope))


async def _on_misfit(request: Request, error: Exception) -> Response:
    """What does not fit, without repeating the values: they may be large, or secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    errors = [
        {"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]} for item in error.errors()[:50]
    ]
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    problem = Problem("validation", f"{where}: {first['msg']}", {"errors": errors})
    return problem_response(problem, request_id_of(request.scope))
