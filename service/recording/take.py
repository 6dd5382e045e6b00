"""One recording while it is made: a `.part` file that is readable whenever the process dies, and its facts.

``NAME.part`` holds the card's records as they came, ``NAME.part.json`` what a resume must know. When all is
there, the recording is listed in `dataset.toml` and the part gets its name.
"""

import os
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Self

import msgspec

from drivers.errors import SourceError
from drivers.registry import Nic
from drivers.source import read_chunks
from drivers.stream import Stream
from service.errors import ServiceError
from service.recording.dataset import Entry, add_recording
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


class Take:
    """A recording under way; made by `begin` or `resume`, ended by `finish` or `stop`.

    Attributes:
        path: where it will be; `part` stands in for it until then.
        facts: what it is.
        wanted_s: how long it shall be, None until told.
        size: bytes in the part; `frames_before`: frames that earlier runs put there.
    """

    def __init__(self, path: Path, state: State, *, mode: str, frames_before: int = 0) -> None:
        self.path, self.facts, self.frames_before = path, state.facts, frames_before
        self.wanted_s = state.wanted_s
        self._state, self._began = state, time.monotonic()
        self._ended_s: float | None = None
        try:
            self._file = FileIO(self.part, mode)
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise RecordingError(f"cannot write {self.part}: {error.strerror or error}") from error
        self._note(msgspec.structs.replace(state, run_ns=time.time_ns()))

    @property
    def part(self) -> Path:
        """The file that grows."""
        return _part(self.path)

    @property
    def seconds(self) -> float:
        """Time recorded so far, earlier runs included."""
        if self._ended_s is not None:
            return self._ended_s
        return self._state.seconds + time.monotonic() - self._began

    @classmethod
    def begin(cls, path: Path, facts: Facts, wanted_s: float | None = None) -> Self:
        """A new recording.

        Raises:
            RecordingError: one of that name is there, or the folder cannot be written.
        """
        for there in (path, _part(path)):
            if there.exists():
                raise RecordingError(
                    f"{there} is there already; go on with --resume, or choose another --name"
                )
        return cls(path, State(facts, time.time_ns(), wanted_s), mode="xb")

    @classmethod
    def resume(cls, path: Path, nic: Nic, wanted_s: float | None = None) -> Self:
        """The interrupted recording of that name; a record that was cut when it broke off is taken off it.

        It shall be as long as was asked for when it was begun, or `wanted_s`.

        Raises:
            RecordingError: there is none, its notes are damaged, or it is of another card.
        """
        if path.exists() and not _part(path).exists():
            raise RecordingError(f"{path} is complete already")
        state = _noted(path)
        if state.facts.nic != nic.NAME:
            raise RecordingError(f"{_part(path)} is of {state.facts.nic}, not {nic.NAME}")
        state.wanted_s = state.wanted_s if wanted_s is None else wanted_s
        frames, whole = _whole(_part(path), nic)
        take = cls(path, state, mode="r+b", frames_before=frames)
        take._cut(whole)
        return take

    def write(self, data: bytes) -> None:
        """Put these bytes behind the others, at once; what only partly fits is taken off again.

        Raises:
            RecordingError: the disk is full or fails.
        """
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            with suppress(OSError):
                self._cut(self.size)
            raise RecordingError(
                f"cannot write {self.part}: {error.strerror or error}; what came before is kept: "
                "make room and go on with --resume"
            ) from error
        self.size += len(data)

    def finish(self, frames: int) -> None:
        """All is there: list the recording and give it its name.

        Args:
            frames: frames in all of it.

        Raises:
            RecordingError: its name cannot be given.
            DatasetError: it cannot be listed.
        """
        state = self._end()
        facts = {name: getattr(self.facts, name) for name in Facts.__struct_fields__}
        add_recording(
            self.path.parent,
            Entry(
                file=self.path.name,
                started_ns=state.started_ns,
                seconds=state.seconds,
                frames=frames,
                **facts,
            ),
        )
        try:
            self.part.rename(self.path)
        except OSError as error:
            raise RecordingError(f"cannot name {self.path}: {error.strerror or error}") from error
        _notes(self.path).unlink(missing_ok=True)

    def stop(self) -> None:
        """Something is missing: leave the part for a resume, or nothing if nothing came."""
        self._end()
        if not self.size:
            self.part.unlink(missing_ok=True)
            _notes(self.path).unlink(missing_ok=True)

    def _end(self) -> State:
        """Close the part, and note for how long it was recorded."""
        self._ended_s = self.seconds
        state = msgspec.structs.replace(self._state, seconds=self._ended_s, run_ns=None)
        if not self._file.closed:
            with suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()
            with suppress(RecordingError):  # a full disk: a resume then goes by the part's own times
                self._note(state)
        return state

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)
        self.size = size

    def _note(self, state: State) -> None:
        path = _notes(self.path)
        fresh = path.with_name(path.name + ".new")
        try:
            fresh.write_bytes(msgspec.json.encode(state))
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise RecordingError(f"cannot write {path}: {error.strerror or error}") from error


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _notes(path: Path) -> Path:
    return path.with_name(path.name + ".part.json")


def _noted(path: Path) -> State:
    """What is known of an interrupted recording, its length included."""
    try:
        state = msgspec.json.decode(_notes(path).read_bytes(), type=State)
        written_ns = _part(path).stat().st_mtime_ns
    except OSError as error:
        raise RecordingError(f"nothing to resume: cannot read {error.filename}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise RecordingError(
            f"{_notes(path)} is damaged ({error}); the frames are in {_part(path)}"
        ) from error
    if state.run_ns is not None:  # it was killed: it recorded until it last wrote
        state.seconds += max(written_ns - state.run_ns, 0) / 1e9
    return state


def _whole(part: Path, nic: Nic) -> tuple[int, int]:
    """Frames in the part, and its length without a record that was cut."""
    stream = Stream(nic)
    try:
        for chunk in read_chunks(part):
            stream.feed(chunk)
    except SourceError as error:
        raise RecordingError(str(error)) from error
    before = stream.account.rejected_bytes["truncated"]
    stream.finish()
    cut = stream.account.rejected_bytes["truncated"] - before
    return stream.frames, stream.account.total_bytes - cut
