"""The order in which versions came to serve in a room, as a stack: roll-back takes off what is on top.

What is passed over on the way down, because it cannot serve just then, stays: a shelf may be there again
later. It lies below what came to serve before it, and that is what it is known by.
"""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from service.store.schema import activations


class Activation(NamedTuple):
    """A version came to serve; one with a higher number came after it."""

    number: int
    version: int


def put_on_top(connection: sa.Connection, room: str, task: str, version: int, now_ns: int) -> None:
    """Remember that this version serves from now on; where it was passed over it need not be gone back to."""
    connection.execute(sa.delete(activations).where(_of(room, task) & _passed_over(version)))
    row = {"room": room, "task": task, "version": version, "activated_ns": now_ns}
    connection.execute(sa.insert(activations).values(row))


def stack_of(connection: sa.Connection, room: str, task: str) -> list[Activation]:
    """What served in the room, newest first; versions may be among them that are no more."""
    query = sa.select(activations.c.activation, activations.c.version).where(_of(room, task))
    rows = connection.execute(query.order_by(activations.c.activation.desc()))
    return [Activation(number, version) for number, version in rows]


def take_off(
    connection: sa.Connection,
    room: str,
    task: str,
    down_to: Activation | None,
    passed: Collection[Activation] = (),
) -> None:
    """Forget what is above this one (None: all of it), but for what was passed over: that comes next."""
    above = activations.c.activation > (0 if down_to is None else down_to.number)
    above &= activations.c.activation.not_in([one.number for one in passed])
    connection.execute(sa.delete(activations).where(_of(room, task) & above))
    if down_to is not None and passed:
        _lift(connection, down_to)


def _lift(connection: sa.Connection, one: Activation) -> None:
    """Put it on top; when it came to serve stays as it is."""
    this = activations.c.activation == one.number
    columns = [column for column in activations.c if column is not activations.c.activation]
    names = [column.name for column in columns]
    connection.execute(sa.insert(activations).from_select(names, sa.select(*columns).where(this)))
    connection.execute(sa.delete(activations).where(this))


def _passed_over(version: int) -> sa.ColumnElement[bool]:
    """Whether this is of the version, and below what came to serve before it."""
    above = activations.alias()
    earlier = (above.c.activation > activations.c.activation) & (
        above.c.activated_ns < activations.c.activated_ns
    )
    same = (above.c.room == activations.c.room) & (above.c.task == activations.c.task)
    return (activations.c.version == version) & sa.exists().where(same & earlier).correlate(activations)


def _of(room: str, task: str) -> sa.ColumnElement[bool]:
    return (activations.c.room == room) & (activations.c.task == task)
