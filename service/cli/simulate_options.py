"""What is written behind the options of `roomtone simulate`, read; bad ones are named."""

import re

import typer

from drivers.simulate.cards import CardModel
from drivers.simulate.carried import Carried, Material
from drivers.simulate.gate import NOTHING, OBJECTS
from drivers.simulate.schedule import Schedule
from drivers.simulate.script import Script

_SMALLEST_M, _LARGEST_M = 1.5, 100.0


def room_size(text: str | None) -> tuple[float, float, float] | None:
    """Width, depth and height in metres; None as it is.

    Raises:
        BadParameter: no size, or one that no room has.
    """
    if text is None:
        return None
    size = _numbers(text, 3)
    if size is None:
        raise typer.BadParameter(f"{text!r} is no room size; write width x depth x height, as in 5x4x2.7")
    if not all(_SMALLEST_M <= side <= _LARGEST_M for side in size):
        raise typer.BadParameter(f"a room of {text} m is outside {_SMALLEST_M:g} to {_LARGEST_M:g} m")
    return size[0], size[1], size[2]


def object_of(material: str, size: str | None) -> Carried | None:
    """What is carried, of this width x height; None for nothing.

    Raises:
        BadParameter: no such material, no size, or a size of nothing.
    """
    if material not in OBJECTS:
        there_are = ", ".join(OBJECTS)
        raise typer.BadParameter(
            f"{material!r} cannot be carried; there are: {there_are}", param_hint="--carried"
        )
    if material == NOTHING:
        if size is not None:
            raise typer.BadParameter("say with --carried what it is made of", param_hint="--object")
        return None
    if size is None:
        return Carried(Material(material))
    sides = _numbers(size, 2)
    if sides is None:
        raise typer.BadParameter(f"{size!r} is no size; write width x height, as in 0.3x0.2")
    try:
        return Carried(Material(material), sides[0], sides[1])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--object") from error


def script_of(text: str) -> Script:
    """A script such as ``10s:walking,3s:falling,9s:lying``.

    Raises:
        BadParameter: it is none.
    """
    try:
        return Script.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write 10s:walking,3s:falling,9s:lying") from error


def schedule_of(text: str) -> Schedule:
    """A schedule such as ``0-2-0``.

    Raises:
        BadParameter: it is none.
    """
    try:
        return Schedule.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write 0-2-0 (20 s each) or 20s:0,1m:2") from error


def check_bandwidth(card: CardModel, bandwidth: int | None) -> None:
    """Complain of a bandwidth that the card does not have.

    Raises:
        BadParameter: as the name says.
    """
    if bandwidth is not None and bandwidth not in card.bandwidths_mhz:
        there_are = ", ".join(map(str, card.bandwidths_mhz[:-1]))
        raise typer.BadParameter(
            f"{card.nic} measures {there_are} or {card.bandwidths_mhz[-1]} MHz, not {bandwidth}",
            param_hint="--bandwidth",
        )


def _numbers(text: str, count: int) -> list[float] | None:
    """Numbers with x between them; None if these are not `count` numbers."""
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch("x".join([number] * count), text)
    return None if match is None else [float(part) for part in match.groups()]
