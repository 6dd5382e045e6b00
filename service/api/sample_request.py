"""What a caller sends to have a sample taken, as JSON or as a form with a capture, checked."""

import hashlib
from typing import Any, BinaryIO

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from models.signal.clip import window_ends
from models.signal.window import WindowSpec
from service.adaptation.upload import LONGEST_S
from service.adaptation.verdict import unfit_label
from service.api.answers import unfit
from service.api.documents.samples import SampleBody, SampleForm
from service.state import unix_ns
from service.store.idempotency import Once

JSON_KIND, FORM_KIND = "application/json", "multipart/form-data"


async def read_body(request: Request) -> SampleBody:
    """The JSON body.

    Raises:
        RequestValidationError: it does not fit.
    """
    try:
        body = SampleBody.model_validate_json(await request.body())
    except ValidationError as error:
        raise _misfits(error) from error
    check_label(body.task, str(body.label))
    return body


def span_of(body: SampleBody, spec: WindowSpec) -> tuple[int, int]:
    """From and to in Unix nanoseconds.

    Raises:
        Problem: validation; the wrong way round, too long, or too short for one window.
    """
    from_ns, to_ns = unix_ns(body.start), unix_ns(body.end)
    if from_ns >= to_ns:
        raise unfit("to", f"{body.end} is not later than `from`, {body.start}")
    if to_ns - from_ns > LONGEST_S * 1e9:
        raise unfit("to", f"longer than {LONGEST_S / 60:g} minutes after `from`")
    if not window_ends(from_ns, to_ns, spec):
        needed = spec.length_s + spec.hop_s
        raise unfit("to", f"no whole window lies in between; {needed:g} s always hold one")
    return from_ns, to_ns


def read_form(form: FormData) -> tuple[SampleForm, UploadFile]:
    """The fields of a form and its file.

    Raises:
        RequestValidationError: a field does not fit.
        Problem: validation; there is no file, or a value does not go with another.
    """
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise unfit("file", "the capture goes into a part `file`, with a file name")
    try:
        fields = SampleForm.model_validate({name: value for name, value in form.items() if name != "file"})
    except ValidationError as error:
        raise _misfits(error) from error
    check_label(fields.task, fields.label)
    if fields.end_s is not None and not 0 < fields.end_s - fields.start_s <= LONGEST_S:
        raise unfit("to", f"it comes after `from`, by at most {LONGEST_S:g} s")
    return fields, file


def digest_of(file: BinaryIO) -> str:
    """SHA-256 of a file, which is at its start before and after."""
    digest = hashlib.sha256()
    while chunk := file.read(2**20):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def once_of(key: str | None, actor: str, *parts: str) -> Once | None:
    """The caller's key and what it stands for."""
    if key is None:
        return None
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return Once(actor, key, digest.hexdigest())


def replayed(once: Once | None) -> dict[str, str]:
    """The header that marks what was made by an earlier request under the same key."""
    return {"Idempotency-Replayed": "true"} if once is not None and once.again else {}


def check_label(task: str, label: str) -> None:
    """See that the task knows the label.

    Raises:
        Problem: validation.
    """
    why = unfit_label(task, label)
    if why is not None:
        raise unfit("label", why)


def _misfits(error: ValidationError) -> RequestValidationError:
    found: list[dict[str, Any]] = [
        {**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)
    ]
    return RequestValidationError(found)
