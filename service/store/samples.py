"""Labelled samples: asked for by the API, cut and judged by the worker, kept with their windows (DESIGN B11).

A sample is `pending` until it has its answer. `accepted` is learned from; `rejected` is kept for its verdict,
without windows; `expired` was answered by nobody in time, or could not be: it is told as an error and
forgotten soon. Every change of state is one transaction that looks at the state before, so that of two who
answer only one does.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.adaptation.fingerprint import Fingerprint
from service.adaptation.verdict import FINGERPRINT, Labelled, shown
from service.state import rfc3339
from service.store.audit import record
from service.store.engine import Store
from service.store.idempotency import Once, forget, made_before, remember
from service.store.pauses import check_not_paused
from service.store.schema import samples
from service.store.scrubbing import owe_scrub
from service.store.standing import Standing, check_standing

PENDING, ACCEPTED, REJECTED, EXPIRED = "pending", "accepted", "rejected", "expired"
UPLOAD = "upload"
FALSE_ALARM = "false_alarm"
"""Origin of live frames that somebody labelled by dismissing an alert as a false alarm."""
_FORGET_EXPIRED_S = 3600
Verdict = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample, less its windows."""

    sample: str
    room: str
    task: str
    label: str
    state: str
    origin: str
    from_ns: int
    to_ns: int
    verdict: dict[str, Any]
    bytes: int
    actor: str
    created_ns: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to be taken as a sample."""

    room: str
    task: str
    label: str
    from_ns: int
    to_ns: int
    actor: str
    origin: str = ""
    """`FALSE_ALARM`, or nothing special."""
    standing: Standing | None = None
    """How the room stood when the request began; nothing is kept unless it still does. None: nobody looks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a pending sample: its state, why, and its clip where it is accepted."""

    sample: str
    state: str
    verdict: Verdict
    origin: str = ""
    windows: bytes | None = field(default=None, repr=False)


def ask(store: Store, asked: Asked, once: Once | None = None) -> Sample:
    """A pending sample; the one that was made before under the same key, whatever became of it.

    Raises:
        KeyReusedError: the key was used for another request.
        LookupError: it made a sample that was deleted since.
        PausedError: the room is paused.
        RoomGoneError: the room was deleted since the request began.
        RoomErasedError: its history was.
    """
    with store.write() as connection:
        known = None if once is None else made_before(connection, once)
        if known is not None:
            return _again(connection, known)
        sample = _insert(connection, asked)
        if once is not None:
            remember(connection, once, asked.room, sample.sample)
        return sample


def add(store: Store, asked: Asked, answer: Answer, once: Once | None = None) -> Sample:
    """A sample that is judged already (an upload); `answer.sample` is of no account. Raises as `ask`."""
    with store.write() as connection:
        known = None if once is None else made_before(connection, once)
        if known is not None:
            return _again(connection, known)
        sample = _insert(connection, asked)
        if once is not None:
            remember(connection, once, asked.room, sample.sample)
        settle(connection, Answer(sample.sample, answer.state, answer.verdict, answer.origin, answer.windows))
        return _again(connection, sample.sample)


def settle(connection: sa.Connection, answer: Answer) -> bool:
    """Answer a pending sample in the caller's transaction; False if it is not pending (any more)."""
    changed = connection.execute(
        sa.update(samples)
        .where((samples.c.sample == answer.sample) & (samples.c.state == PENDING))
        .values(
            state=answer.state,
            verdict=dict(answer.verdict),
            origin=answer.origin,
            windows=answer.windows,
            bytes=len(answer.windows or b""),
        )
        .returning(*_facts())
    )
    row = changed.mappings().one_or_none()
    if row is None:
        return False
    if answer.state == EXPIRED:
        forget(connection, answer.sample)
    else:
        detail = {name: row[name] for name in ("sample", "task", "label", "origin")}
        record(
            connection, actor=row["actor"], action=f"sample.{answer.state}", target=row["room"], detail=detail
        )
    return True


def expire(store: Store, sample: str, reason: str) -> bool:
    """Give a pending sample up, so that nobody can accept it any more; False if it has its answer."""
    with store.write() as connection:
        return settle(connection, Answer(sample, EXPIRED, {"accepted": False, "reasons": [reason]}))


def get_sample(store: Store, sample: str) -> Sample | None:
    """The sample of that id."""
    with store.read() as connection:
        return _select(connection, sample)


def pending_samples(store: Store, limit: int = 16) -> list[Sample]:
    """Samples that wait for their answer, oldest first."""
    query = sa.select(*_facts()).where(samples.c.state == PENDING).order_by(samples.c.created_ns)
    with store.read() as connection:
        return [Sample(**row) for row in connection.execute(query.limit(limit)).mappings()]


def accepted_samples(store: Store, room: str, task: str) -> list[Sample]:
    """Samples that may be learned from, oldest span first."""
    query = sa.select(*_facts()).where(_taken(room, task)).order_by(samples.c.from_ns, samples.c.sample)
    with store.read() as connection:
        return [Sample(**row) for row in connection.execute(query).mappings()]


def load_windows(store: Store, sample: str) -> bytes | None:
    """The packed clip of an accepted sample (`models.signal.clip`); None if it is no more."""
    with store.read() as connection:
        return connection.execute(sa.select(samples.c.windows).where(samples.c.sample == sample)).scalar()


def sample_page(
    store: Store, room: str, *, task: str | None, limit: int, before: tuple[int, str] | None
) -> tuple[list[Sample], tuple[int, str] | None]:
    """Samples that have their verdict, newest first, and where to go on (None at the end)."""
    table = samples.c
    query = sa.select(*_facts()).where((table.room == room) & table.state.in_((ACCEPTED, REJECTED)))
    if task is not None:
        query = query.where(table.task == task)
    if before is not None:
        query = query.where(sa.tuple_(table.created_ns, table.sample) < sa.tuple_(*before))
    query = query.order_by(table.created_ns.desc(), table.sample.desc()).limit(limit + 1)
    with store.read() as connection:
        found = [Sample(**row) for row in connection.execute(query).mappings()]
    page = found[:limit]
    return page, (page[-1].created_ns, page[-1].sample) if len(found) > limit else None


def delete_sample(store: Store, room: str, sample: str, *, actor: str) -> bool:
    """Erase a sample of the room and its windows; False if there is none."""
    with store.write() as connection:
        found = _select(connection, sample)
        if found is None or found.room != room or found.state == EXPIRED:
            return False
        connection.execute(sa.delete(samples).where(samples.c.sample == sample))
        detail: dict[str, JsonValue] = {
            "sample": sample,
            "task": found.task,
            "label": found.label,
            "bytes": found.bytes,
        }
        record(connection, actor=actor, action="sample.deleted", target=room, detail=detail)
        owe_scrub(connection)
    store.scrub()
    return True


def labelled(sample: Sample) -> Labelled:
    """What the sample says, for judging others."""
    verdict = sample.verdict
    frames = Fingerprint.from_text(verdict.get(FINGERPRINT, ""))
    found = Labelled(
        sample.task,
        sample.label,
        sample.from_ns,
        sample.to_ns,
        frames=frames,
        good_s=verdict.get("good_seconds"),
    )
    file = verdict.get("file")
    if file is None:
        return found
    start_ns, end_ns = round(file["from_s"] * 1e9), round(file["to_s"] * 1e9)
    return replace(found, from_ns=start_ns, to_ns=end_ns, file=file["sha256"])


def document(sample: Sample) -> dict[str, Any]:
    """The sample as the API shows it."""
    return {
        "id": sample.sample,
        "room": sample.room,
        "task": sample.task,
        "label": sample.label,
        "state": sample.state,
        "origin": sample.origin,
        "from": rfc3339(sample.from_ns),
        "to": rfc3339(sample.to_ns),
        "verdict": shown(sample.verdict),
        "bytes": sample.bytes,
        "created_at": rfc3339(sample.created_ns),
    }


def _insert(connection: sa.Connection, asked: Asked) -> Sample:
    if asked.standing is not None:
        check_standing(connection, asked.standing)
    check_not_paused(connection, asked.room)
    now = time.time_ns()
    stale = (samples.c.state == EXPIRED) & (samples.c.created_ns < now - _FORGET_EXPIRED_S * 10**9)
    connection.execute(sa.delete(samples).where(stale))
    sample = Sample(
        sample=f"smp-{uuid.uuid4().hex[:16]}",
        room=asked.room,
        task=asked.task,
        label=asked.label,
        state=PENDING,
        origin=asked.origin,
        from_ns=asked.from_ns,
        to_ns=asked.to_ns,
        verdict={},
        bytes=0,
        actor=asked.actor,
        created_ns=now,
    )
    row = {name: getattr(sample, name) for name in Sample.__slots__}
    connection.execute(sa.insert(samples).values(row))
    return sample


def _again(connection: sa.Connection, sample: str) -> Sample:
    found = _select(connection, sample)
    if found is None:
        raise LookupError(sample)
    return found


def _select(connection: sa.Connection, sample: str) -> Sample | None:
    row = connection.execute(sa.select(*_facts()).where(samples.c.sample == sample)).mappings().first()
    return None if row is None else Sample(**row)


def _taken(room: str, task: str) -> sa.ColumnElement[bool]:
    return (samples.c.room == room) & (samples.c.task == task) & (samples.c.state == ACCEPTED)


def _facts() -> list[Any]:
    return [samples.c[name] for name in Sample.__slots__]
