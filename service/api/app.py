"""The app factory: layers, routes, and the tasks that live as long as the app."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

import anyio.to_thread
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from models.prediction import JsonValue
from service.api import failures, openapi
from service.api.auth import Authenticate
from service.api.context import Context
from service.api.guard import BodyLimit, HostGuard, own_names
from service.api.idempotency import HEADER, Idempotent
from service.api.limits import Limits
from service.api.media import Acceptable
from service.api.observe import Observe
from service.api.routes import (
    adaptations,
    admin,
    alert_rules,
    alerts,
    documents,
    events,
    health,
    links,
    model_uploads,
    models,
    oip,
    pages,
    predictions,
    privacy,
    recalibration,
    rooms,
    samples,
    screenings,
    semantic,
    states,
    webhooks,
)
from service.api.routes import stream as stream_route
from service.api.stream.hub import Hub
from service.api.stream.outbox import MAX_WAITING
from service.api.vigil import PATIENCE_S, Vigil
from service.bus.line import SignalLine
from service.bus.port import Signals
from service.inference.refusal import InferenceRefusal
from service.settings import Settings
from service.store.engine import Store
from service.view.watch import Watch

_ROUTES = (
    states,  # read most often, and routes are tried in turn
    health,
    rooms,
    semantic,
    predictions,
    samples,
    links,
    events,
    alerts,
    alert_rules,
    screenings,
    models,
    model_uploads,
    oip,
    adaptations,
    recalibration,
    privacy,
    admin,
    webhooks,
    documents,
    pages,
    stream_route,
)


THREADS = 8
"""Requests that ask the store at once: more would only wait for each other and for the interpreter."""


def create_app(
    settings: Settings,
    store: Store,
    connect: Callable[[], Signals],
    *,
    max_waiting: int = MAX_WAITING,
    patience_s: float = PATIENCE_S,
) -> FastAPI:
    """The API of a site.

    Args:
        settings: of the site.
        store: its store.
        connect: opens the API's signals.
        max_waiting: bounds a stream client's queue.
        patience_s: how long a worker that was never heard is not said to be lost.
    """
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
        generate_unique_id_function=lambda route: route.name,  # generated clients name functions by it
        lifespan=partial(_lifespan, patience_s=patience_s),
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
        exception_handlers={InferenceRefusal: oip.on_refusal},
    )
    app.state.context = context
    for module in _ROUTES:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=pages.WEB))
    openapi.install(app)
    failures.install(
        app, [*(route for module in _ROUTES for route in module.router.routes), *app.routes[-1:]]
    )
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
async def _lifespan(app: FastAPI, *, patience_s: float) -> AsyncIterator[None]:
    context: Context = app.state.context
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    context.line.start()
    vigil = Vigil(context.store, context.watch, context.hub, patience_s=patience_s)
    tasks = [asyncio.create_task(context.hub.run()), asyncio.create_task(vigil.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(context.line.stop)
