"""Who may forward a link's records over TLS: a folder with a certificate and hashes of the link's secrets.

`roomtone links enroll` makes the folder; the adapter that listens reads it. The one-time token and the
session secret that replaces it are random; only their SHA-256 is kept.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from drivers.errors import SourceError
from drivers.live.forwarded import ForwardError, Greeting

CERTIFICATE, KEY, _RECORD = "cert.pem", "key.pem", "enrolment.json"
_SECRET_BYTES = 24


class Enrolment(msgspec.Struct, frozen=True):
    """One link's enrolment as it lies on disk. `port` is where its adapter is meant to listen."""

    link: str
    nic: str
    port: int
    token_sha256: str
    token_used: bool = False
    session_sha256: str | None = None


def enrol(folder: Path, *, link: str, nic: str, port: int) -> str:
    """Write a new enrolment into the folder and return its token; an earlier one of the link ends.

    Raises:
        OSError: the folder cannot be written.
    """
    token = new_secret()
    _save(folder, Enrolment(link=link, nic=nic, port=port, token_sha256=_hash(token)))
    return token


def load(folder: Path) -> Enrolment:
    """The enrolment in this folder as it is now; `enrol` may have written a new one.

    Raises:
        SourceError: there is none, or it is damaged.
    """
    try:
        return msgspec.json.decode((folder / _RECORD).read_bytes(), type=Enrolment)
    except OSError as error:
        raise SourceError(
            f"no enrolment in {folder}: {error.strerror}; `roomtone links enroll` makes one"
        ) from error
    except msgspec.MsgspecError as error:
        raise SourceError(f"{folder / _RECORD} is damaged: {error}; enrol the link again") from error


def check(known: Enrolment, greeting: Greeting) -> None:
    """Refuse a forwarder that is not the enrolled one.

    Raises:
        ForwardError: ``wrong_token``, ``used_token``, ``wrong_session``, ``other_link`` or ``other_nic``.
    """
    given = _hash(greeting.secret)
    if greeting.kind == "token":
        if not hmac.compare_digest(given, known.token_sha256):
            raise ForwardError("wrong_token")
        if known.token_used:
            raise ForwardError("used_token")
    elif not hmac.compare_digest(given, known.session_sha256 or ""):
        raise ForwardError("wrong_session")
    if greeting.link != known.link:
        raise ForwardError("other_link")
    if greeting.nic != known.nic:
        raise ForwardError("other_nic")


def spend_token(folder: Path, known: Enrolment, session: str) -> None:
    """The forwarder keeps `session` from now on: the token it came with is spent.

    Raises:
        ForwardError: ``used_token``, somebody else was quicker or a new enrolment replaced this one;
            ``not_kept``, the folder cannot be written.
    """
    try:
        if load(folder) != known:
            raise ForwardError("used_token")
        _save(folder, msgspec.structs.replace(known, token_used=True, session_sha256=_hash(session)))
    except OSError as error:
        raise ForwardError("not_kept") from error


def new_secret() -> str:
    """192 random bits as letters, digits, - and _."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def _hash(secret: str) -> str:
    """SHA-256: enough for random secrets, which nobody can guess from a list."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _save(folder: Path, enrolment: Enrolment) -> None:
    """Whole or not at all, readable by nobody else."""
    aside = folder / f"{_RECORD}.new"
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(enrolment))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / _RECORD)
