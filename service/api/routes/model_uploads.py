"""Upload of a model of one's own, as `roomtone models add` takes it (docs/onnx-contract.md)."""

import hashlib
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from models.contract.limits import LARGEST_BYTES
from models.zoo import LOCAL, find_model
from service.api.answers import answer, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.models import ModelForm, NewModel
from service.api.media import unsupported
from service.api.problems import Problem
from service.api.routes.models import card_document
from service.api.routes.samples import IdempotencyKey
from service.api.sample_request import FORM_KIND, once_of, replayed
from service.inference.adding import CORE, ModelThereError, add_model
from service.inference.checking import CheckerMissingError, ModelRefusedError
from service.store.audit import record
from service.store.idempotency import KeyReusedError, Once, made_before, remember
from service.store.keys import Role

router = APIRouter(tags=["models"])
MOST_CARD_BYTES = 64 * 1024
MOST_CORE_BYTES = 4 * 1024 * 1024


def _posting() -> dict[str, Any]:
    options = guarded(Role.ADMIN, whole_site=True)
    content = {FORM_KIND: {"schema": ModelForm.model_json_schema()}}
    options["openapi_extra"]["requestBody"] = {"required": True, "content": content}
    return options


@router.post("/v1/models", status_code=201, response_model=NewModel, **_posting())
async def upload_model(
    request: Request, context: Ctx, caller: Caller, key: IdempotencyKey = None
) -> Response:
    """Check a model in a process of limited memory and time, and put it on the shelf `local`.

    Worker and trainer take it up within seconds, if `models.shelves` names the shelf (`loaded`).
    In a room it speaks only after it has passed the gate there.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM_KIND:
        raise unsupported(kind, FORM_KIND)
    async with request.form(max_files=3, max_fields=3, max_part_size=MOST_CARD_BYTES) as form:
        with TemporaryDirectory(prefix="roomtone-model-") as folder:
            place = Path(folder)
            await anyio.to_thread.run_sync(_unpack, form, place)
            once = once_of(key, caller.actor, "/v1/models", _digest(place))

            def work() -> dict[str, Any]:
                return _add(context, place, caller.actor, once)

            told = await anyio.to_thread.run_sync(work, limiter=context.checks)
            return answer(told, 201, replayed(once))


def _add(context: Context, place: Path, actor: str, once: Once | None) -> dict[str, Any]:
    settings, core = context.settings, place / CORE
    if once is not None and (known := _known(context, once)) is not None:
        return known
    try:
        told, card = add_model(
            settings.local_shelf, place / "model.onnx", place / "card.toml", core if core.exists() else None
        )
    except ModelRefusedError as error:
        raise Problem("model-refused", str(error)[:2000], {"broken": list(error.broken)}) from error
    except ModelThereError as error:
        raise Problem("model-there", str(error)) from error
    except CheckerMissingError as error:
        raise Problem("checker-missing", str(error)) from error
    with context.store.write() as connection:
        facts = {"digest": card.digest, "task": card.task, "version": card.version}
        record(connection, actor=actor, action="model.added", target=card.name, detail=facts)
        if once is not None:
            remember(connection, once, "", card.name)
    return _document(context, card_document(card), {"window_ms": told["window_ms"]})


def _known(context: Context, once: Once) -> dict[str, Any] | None:
    """What this key made already, if it still stands."""
    try:
        with context.store.read() as connection:
            name = made_before(connection, once)
    except KeyReusedError as error:
        raise Problem("idempotency-key-reused", f"{once.key} was used for another request") from error
    found = None if name is None else find_model(name, [LOCAL], context.settings.local_shelf)
    if found is None:
        return None
    return _document(context, card_document(found.card), {"window_ms": None})


def _document(context: Context, card: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**card, **more, "loaded": LOCAL in context.settings.models.shelves}


def _unpack(form: FormData, place: Path) -> None:
    """The parts as files whose names are ours: what the caller calls them is of no account."""
    _keep(form, "file", place / "model.onnx", LARGEST_BYTES)
    _keep(form, "card", place / "card.toml", MOST_CARD_BYTES)
    if "core" in form:
        _keep(form, "core", place / CORE, MOST_CORE_BYTES)
    strange = sorted(set(form) - {"file", "card", "core"})
    if strange:
        raise unfit(strange[0][:64], "the parts are file, card and core")


def _keep(form: FormData, name: str, path: Path, most: int) -> None:
    part = form.get(name)
    if isinstance(part, str) and name == "card":
        path.write_text(part, encoding="utf-8")
        return
    if not isinstance(part, UploadFile):
        raise unfit(name, "a file is missing: the model goes into `file`, its card into `card`")
    if (part.size or 0) > most:
        raise unfit(name, f"{part.size} bytes; at most {most} are taken")
    with path.open("wb") as target:
        shutil.copyfileobj(part.file, target)


def _digest(place: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(place.iterdir()):
        digest.update(f"{path.name} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()
