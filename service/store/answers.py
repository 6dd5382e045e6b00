"""Answers to requests with an `Idempotency-Key`: asked again, the first answer is told again.

After draft-ietf-httpapi-idempotency-key-header-07. Answers are kept for `KEPT_S`; one that holds a secret is
kept without its body. So is one about a room that was deleted, or its history erased, while it was in coming.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.store.engine import Store
from service.store.idempotency import KEPT_S, KeyReusedError, Once
from service.store.schema import answers
from service.store.standing import RoomErasedError, RoomGoneError, Standing, check_standing

ABANDONED_S = 120
"""An answer that is so long in coming was cut off with its process; the request may run again."""


class InFlightError(Exception):
    """The same request is being worked on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `body` None: it held what may not be kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


def begin(store: Store, once: Once, room: str | None) -> Answer | None:
    """Reserve the key for this request (None), or tell what was answered under it before.

    Raises:
        KeyReusedError: the key stands for another request.
        InFlightError: the same request is being worked on.
    """
    now = time.time_ns()
    row = {"actor": once.actor, "key": once.key, "digest": once.digest, "room": room}
    try:
        with store.write() as connection:
            _forget_old(connection, now)
            known = connection.execute(sa.select(answers).where(_is(once))).one_or_none()
            if known is None:
                connection.execute(sa.insert(answers).values(**row, headers={}, created_ns=now))
                return None
    except sa.exc.IntegrityError as error:
        raise InFlightError(once.key) from error  # two at once, on a server: the other was first
    if known.digest != once.digest:
        raise KeyReusedError(once.key)
    if known.status is None:
        raise InFlightError(once.key)
    return Answer(known.status, known.headers, known.body)


def finish(
    store: Store, once: Once, answer: Answer, room: str | None = None, standing: Standing | None = None
) -> None:
    """Keep the answer for when the same is asked again; `room`: what it is about, where `begin` knew none.

    `standing` is how that room stood before `begin`: if it stands otherwise now, or is not known to have
    stood, only that there was an answer is kept.
    """
    with store.write() as connection:
        known = connection.execute(sa.select(answers.c.room).where(_is(once))).scalar()
        about = known or room
        told: dict[str, Any] = {"status": answer.status, "headers": {}, "body": None, "room": None}
        if about is None or _stands(connection, about, standing):
            told |= {"headers": dict(answer.headers), "body": answer.body, "room": about}
        connection.execute(sa.update(answers).where(_is(once)).values(told))


def _stands(connection: sa.Connection, room: str, before: Standing | None) -> bool:
    """Whether nothing that was known of the room has been erased since."""
    if before is None or before.room != room:
        return False
    try:
        check_standing(connection, before)
    except (RoomGoneError, RoomErasedError):
        return False
    return True


def release(store: Store, once: Once) -> None:
    """Nothing was done: the key is free again."""
    with store.write() as connection:
        connection.execute(sa.delete(answers).where(_is(once) & answers.c.status.is_(None)))


def _forget_old(connection: sa.Connection, now_ns: int) -> None:
    abandoned = answers.c.status.is_(None) & (answers.c.created_ns < now_ns - ABANDONED_S * 10**9)
    old = answers.c.created_ns < now_ns - KEPT_S * 10**9
    connection.execute(sa.delete(answers).where(abandoned | old))


def _is(once: Once) -> sa.ColumnElement[bool]:
    return (answers.c.actor == once.actor) & (answers.c.key == once.key)
