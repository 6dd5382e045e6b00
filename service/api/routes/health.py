"""Health and metrics: is the process up, can it answer, what does it count."""

import sqlalchemy as sa
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response

from models.zoo import CardError
from service.api.answers import answer
from service.api.auth import Ctx, guarded
from service.api.context import Context
from service.api.documents.health import Liveness, ProblemDocument, Readiness
from service.api.problems import Problem
from service.store.eventlog import read_head
from service.store.keys import Role

router = APIRouter(tags=["health"])


@router.get("/livez", response_model=Liveness)
async def livez() -> Response:
    """Whether the process runs; says nothing about anything else."""
    return answer({"status": "alive"})


@router.get("/readyz", response_model=Readiness, responses={503: {"model": ProblemDocument}})
def readyz(context: Ctx) -> Response:
    """Whether bus, store and models are able to work, each with a reason if not."""
    reasons = {"bus": _bus(context), "store": _store(context), "models": _models(context)}
    checks = {name: {"ok": reason is None, "reason": reason} for name, reason in reasons.items()}
    if any(reasons.values()):
        missing = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
        raise Problem("not-ready", missing, {"checks": checks}, {"Retry-After": "1"})
    return answer({"status": "ready", "checks": checks})


@router.get("/metrics", **guarded(Role.VIEWER, whole_site=True), response_class=Response)
def metrics(context: Ctx) -> Response:
    """Prometheus metrics in text format."""
    text = context.metrics.render(context.watch, read_head(context.store), len(context.hub.clients))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _bus(context: Context) -> str | None:
    if context.line.trouble is not None:
        return context.line.trouble
    return None if context.watch.worker_up else _silence(context)


def _silence(context: Context) -> str:
    age = context.watch.age_s("worker")
    return "the worker was not heard yet" if age is None else f"the worker is silent for {age:.0f} s"


def _store(context: Context) -> str | None:
    try:
        read_head(context.store)
    except sa.exc.SQLAlchemyError as error:
        return f"the store does not answer ({type(error).__name__})"
    return None


def _models(context: Context) -> str | None:
    """The worker loads the models before it is heard; it may say more in its heartbeat's `models`."""
    if not context.watch.worker_up:
        return f"models are loaded by the worker: {_silence(context)}"
    if reason := _damaged_card(context):
        return reason
    told = context.watch.worker.get("models")
    if isinstance(told, dict) and told.get("ok") is False:
        return str(told.get("reason") or "no model could be loaded")
    return None


def _damaged_card(context: Context) -> str | None:
    try:
        context.cards()
    except CardError as error:
        return str(error)
    return None
