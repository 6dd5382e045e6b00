"""What a resume must know of a recording, kept beside it while it is made: ``NAME.part.json``."""

from pathlib import Path

import msgspec

from service.errors import ServiceError
from service.recording.labels import Label


class RecordingError(ServiceError):
    """A recording cannot be begun, written or resumed."""


class Facts(msgspec.Struct, frozen=True):
    """What a recording is, as it was asked for; the rest of an `Entry` shows when it is done."""

    nic: str
    labels: list[Label]
    domain: str
    session: str
    person: str
    licence: str
    notes: str


class State(msgspec.Struct):
    """What a resume must know.

    `seconds` were recorded before `run_ns`, when the run began that broke off; None if none broke off.
    """

    facts: Facts
    started_ns: int
    wanted_s: float | None
    seconds: float = 0.0
    run_ns: int | None = None


def part_of(path: Path) -> Path:
    """The file that grows until the recording gets its name."""
    return path.with_name(path.name + ".part")


def notes_of(path: Path) -> Path:
    """The file of its `State`."""
    return path.with_name(path.name + ".part.json")


def write_notes(path: Path, state: State) -> None:
    """Put the state down, all of it or nothing.

    Raises:
        RecordingError: the disk is full or fails, or a word cannot be written as UTF-8.
    """
    notes = notes_of(path)
    fresh = notes.with_name(notes.name + ".new")
    try:
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(notes)
    except UnicodeEncodeError as error:
        raise RecordingError(f"{error.object!r} is no UTF-8 text; say it in other letters") from error
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise RecordingError(f"cannot write {notes}: {error.strerror or error}") from error


def read_notes(path: Path) -> State:
    """What is known of an interrupted recording, its length included.

    Raises:
        RecordingError: there are no notes, or they are damaged.
    """
    try:
        state = msgspec.json.decode(notes_of(path).read_bytes(), type=State)
        written_ns = part_of(path).stat().st_mtime_ns
    except OSError as error:
        raise RecordingError(f"nothing to resume: cannot read {error.filename}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise RecordingError(
            f"{notes_of(path)} is damaged ({error}); the frames are in {part_of(path)}"
        ) from error
    if state.run_ns is not None:  # it was killed: it recorded until it last wrote
        state.seconds += max(written_ns - state.run_ns, 0) / 1e9
    return state
