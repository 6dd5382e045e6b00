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
from service.recording.dataset import Entry, add_recording
from service.recording.notes import (
    Facts,
    RecordingError,
    State,
    notes_of,
    part_of,
    read_notes,
    write_notes,
)


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
        try:
            write_notes(path, msgspec.structs.replace(state, run_ns=time.time_ns()))
        except RecordingError:
            self._leave()
            raise

    @property
    def part(self) -> Path:
        """The file that grows."""
        return part_of(self.path)

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
        for there in (path, part_of(path)):
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
        if path.exists() and not part_of(path).exists():
            raise RecordingError(f"{path} is complete already")
        state = read_notes(path)
        if state.facts.nic != nic.NAME:
            raise RecordingError(f"{part_of(path)} is of {state.facts.nic}, not {nic.NAME}")
        state.wanted_s = state.wanted_s if wanted_s is None else wanted_s
        frames, whole = _whole(part_of(path), nic)
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
        notes_of(self.path).unlink(missing_ok=True)

    def stop(self) -> None:
        """Something is missing: leave the part for a resume, or nothing if nothing came."""
        self._end()
        self._leave()

    def _leave(self) -> None:
        """Close the part; an empty one would only be in the way of the next attempt."""
        self._file.close()
        if not self.size:
            self.part.unlink(missing_ok=True)
            notes_of(self.path).unlink(missing_ok=True)

    def _end(self) -> State:
        """Close the part, and note for how long it was recorded."""
        self._ended_s = self.seconds
        state = msgspec.structs.replace(self._state, seconds=self._ended_s, run_ns=None)
        if not self._file.closed:
            with suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()
            with suppress(RecordingError):  # a full disk: a resume then goes by the part's own times
                write_notes(self.path, state)
        return state

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)
        self.size = size


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
