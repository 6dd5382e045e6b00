"""Frames, senders and a small stand-in for the models, for tests of the worker."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.wire import SCHEMA_VERSION, Flush, Grant, Hello, Refuse, Source, pack_block, pack_control
from models.memory import RoomMemory
from models.prediction import JsonValue, ModelRef, Prediction, Reason
from models.runtime import RoomModel
from models.sensing import Sensing
from models.signal.window import Window
from service.bus.memory import MemorySender

S = 1_000_000_000
T0 = 1_600_000_000 * S
METAL = 3
"""So many people carry metal."""
MODEL = ModelRef("fake", "1", "0" * 8, "nothing")


class FakeSensing(Sensing):
    """People are loud on the second antenna: presence and count follow what `frames` was told."""

    def __init__(self) -> None:
        super().__init__([])
        self.windows: list[Window] = []
        self.baselines: set[str] = set()

    def predict(
        self,
        window: Window,
        tasks: Sequence[str],
        *,
        source: Source,
        baselines: Mapping[str, JsonValue] | None = None,
        room: str = "",
        memory: RoomMemory | None = None,
        own: Mapping[str, RoomModel] | None = None,
    ) -> list[Prediction]:
        self.baselines, own = set(baselines or {}), own or {}
        if memory is not None:  # a candidate's windows are asked about twice, and remembered once
            self.windows.append(window)
        return [self._of(own[task], task) if task in own else self._answer(task, window) for task in tasks]

    @staticmethod
    def _of(own: RoomModel, task: str) -> Prediction:
        """A room's own head answers with the number of its version."""
        if own.classes == ("broken",):
            return Prediction.unknown(task, Reason.MODEL_ERROR)
        name = ModelRef(own.model[0], f"1+room.{own.version}", own.digest, "test", own.provisional)
        return Prediction(task, own.version, 0.9, (own.version, own.version), model=name)

    def _answer(self, task: str, window: Window) -> Prediction:
        if window.occupancy < 0.7:
            return Prediction.unknown(task, Reason.LOW_OCCUPANCY if window.frames else Reason.NO_FRAMES)
        if any(part.power.shape[1] < 2 for part in window.parts):
            return Prediction.unknown(task, Reason.MODEL_ERROR)  # it compares two antennas
        loud = [
            np.sqrt(part.power[:, 1].mean(axis=(1, 2)) / part.power[:, 0].mean(axis=(1, 2)))
            for part in window.parts
        ]
        people = round(float(np.median(np.concatenate(loud)))) - 1
        if task == "presence":
            value = "occupied" if people else "vacant"
            return Prediction(task, value, 0.9, model=MODEL, extras={"motion": people / 10, "still": False})
        if task == "counting":
            return Prediction(task, people, 0.8, (max(0, people - 1), people + 1), model=MODEL)
        if task == "suspicious_object":
            end_s = window.end_ns / 1e9
            walk: dict[str, JsonValue] = {"from_s": end_s - 6, "to_s": end_s - 1}
            value = "metal" if people == METAL else "none"
            return Prediction(task, value, 0.9, model=MODEL, extras={"walk": walk} if people else {})
        return Prediction.unknown(task, Reason.NO_MODEL)


def frames(start_s: float, seconds: float, *, people: int = 0, rate: int = 50, first: int = 0) -> FrameBlock:
    """Frames of an Intel 5300 at a steady rate, capture times from T0 + start_s."""
    count = round(seconds * rate)
    table = np.zeros(count, FRAME_TABLE)
    table["capture_ns"] = T0 + round(start_s * S) + np.arange(count) * (S // rate)
    table["sequence"] = np.arange(first, first + count)
    table["rssi_dbm"] = np.array([-40, -42, np.nan, np.nan], np.float32)
    raw = np.full((count, 30, 3, 1, 2), 10, np.int8)
    raw[:, :, 2] = 0
    raw[:, :, 1] *= people + 1
    return FrameBlock(
        nic="intel5300",
        table=table,
        raw=raw,
        subcarrier_index=np.arange(-28, 32, 2, dtype=np.int16),
        tones=np.zeros(30, np.uint8),
        bandwidth_mhz=20,
        present=np.array([[True], [True], [False]]),
        index=np.arange(first, first + count),
    )


class Talker:
    """A sender that does what it is told, right or wrong."""

    def __init__(
        self,
        wire: MemorySender,
        link: str = "l1",
        room: str | None = "b",
        source: Source = Source.LIVE,
        session: str = "s1",
    ) -> None:
        self.wire, self.link, self.room, self.source, self.session = wire, link, room, source, session
        self.published = 0
        self.acked = 0

    def hello(self, published: int | None = None, **told: Any) -> None:
        """Introduce itself; `told` are further fields of `Hello`."""
        published = self.published if published is None else published
        hello = Hello(
            schema=SCHEMA_VERSION,
            session=self.session,
            link=self.link,
            room=self.room,
            nic="intel5300",
            source=self.source,
            published=published,
            acked=self.acked,
            **told,
        )
        self.wire.send(pack_control(hello))

    def send(self, block: FrameBlock, size: int = 32, *, lose: Sequence[int] = ()) -> None:
        """Publish in blocks of `size`; those whose number is in `lose` vanish on the way."""
        for number, start in enumerate(range(0, len(block), size)):
            part = block.take(slice(start, start + size))
            if number not in lose:
                self.resend(part, self.published)
            self.published += len(part)

    def resend(self, block: FrameBlock, first: int) -> None:
        parts = pack_block(
            block,
            session=self.session,
            link=self.link,
            room=self.room,
            source=self.source,
            first=first,
            host_ns=1,
        )
        self.wire.send(parts)

    def flush(self) -> None:
        self.wire.send(pack_control(Flush(session=self.session, link=self.link, published=self.published)))

    def heard(self) -> list[Grant | Refuse]:
        answers: list[Grant | Refuse] = []
        while (answer := self.wire.receive(0.01)) is not None:
            assert isinstance(answer, Grant | Refuse)
            answers.append(answer)
        return answers

    def granted(self) -> Grant:
        """The newest answer, a grant."""
        grant = self.heard()[-1]
        assert isinstance(grant, Grant)
        return grant

    def refused(self) -> Refuse:
        """The only answer, a refusal."""
        (refusal,) = self.heard()
        assert isinstance(refusal, Refuse)
        return refusal
