"""The order in which versions came to serve in a room, as a stack: roll-back takes off what is on top."""

from typing import NamedTuple

import sqlalchemy as sa

from service.store.schema import activations


class Activation(NamedTuple):
    """A version came to serve; one with a higher number came after it."""

    number: int
    version: int


def put_on_top(connection: sa.Connection, room: str, task: str, version: int, now_ns: int) -> None:
    """Remember that this version serves from now on."""
    row = {"room": room, "task": task, "version": version, "activated_ns": now_ns}
    connection.execute(sa.insert(activations).values(row))


def stack_of(connection: sa.Connection, room: str, task: str) -> list[Activation]:
    """What served in the room, newest first; versions may be among them that are no more."""
    query = sa.select(activations.c.activation, activations.c.version).where(_of(room, task))
    rows = connection.execute(query.order_by(activations.c.activation.desc()))
    return [Activation(number, version) for number, version in rows]


def take_off(connection: sa.Connection, room: str, task: str, down_to: Activation | None) -> None:
    """Forget what is above this one; None: all of it."""
    above = activations.c.activation > (0 if down_to is None else down_to.number)
    connection.execute(sa.delete(activations).where(_of(room, task) & above))


def _of(room: str, task: str) -> sa.ColumnElement[bool]:
    return (activations.c.room == room) & (activations.c.task == task)
