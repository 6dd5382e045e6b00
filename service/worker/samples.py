"""Labelled samples in the worker: cut from what is remembered, judged, and answered in the turn's batch."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from drivers.wire import Source
from models.prediction import JsonValue
from models.signal.window import Window, WindowSpec
from service.adaptation.verdict import judge
from service.settings import SampleSettings
from service.state import rfc3339
from service.store.baselines import of_kind
from service.store.engine import Store
from service.store.samples import (
    ACCEPTED,
    EXPIRED,
    FALSE_ALARM,
    REJECTED,
    Answer,
    Sample,
    accepted_samples,
    labelled,
    pending_samples,
)
from service.worker.recent import Recent, Span
from service.worker.rooms import RoomRuntime

PATIENCE_S = 3.0
"""How long a span is waited for that is not over yet, or a room not known yet; the API waits longer."""
_SOON_NS = 5_000_000_000
NOT_HELD, BROKEN = "not_held", "cannot_be_judged"
_log = logging.getLogger(__name__)


class Sampling:
    """Keeps what was seen lately, and answers those who ask for a labelled span of it.

    Attributes:
        recent: the last minutes of every room.
    """

    def __init__(self, settings: SampleSettings, store: Store, spec: WindowSpec) -> None:
        self.recent = Recent(settings.buffer_minutes, settings.buffer_mb)
        self._store, self._spec = store, spec

    def take(self, room: RoomRuntime, window: Window) -> None:
        """A window that was predicted; a room whose frames cannot be kept is not remembered."""
        try:
            self.recent.take(room.room, window, room.source_of(window))
        except Exception:  # noqa: BLE001 - whatever foreign frames break here, the other rooms go on
            _log.exception("a window of room %s cannot be kept for labelling", room.room)
            self.recent.forget(room.room)

    def is_asked(self) -> bool:
        """Whether anybody waits for a sample."""
        return bool(pending_samples(self._store, limit=1))

    def answer(self, rooms: Mapping[str, RoomRuntime], now_ns: int) -> Answer | None:
        """The first pending sample that can be answered: one a turn, each after the other's commit."""
        for sample in pending_samples(self._store):
            found = self._answer(sample, rooms.get(sample.room), now_ns)
            if found is not None:
                return found
        return None

    def _answer(self, sample: Sample, room: RoomRuntime | None, now_ns: int) -> Answer | None:
        held = self.recent.span(sample.room)
        if room is not None and held is not None and _inside(sample, held):
            return self._guarded(sample, room)
        if _may_come(sample, held) and now_ns - sample.created_ns < PATIENCE_S * 1e9:
            return None
        there: JsonValue = None
        if held is not None:
            there = {"from": rfc3339(held.from_ns), "to": rfc3339(held.to_ns)}
        return Answer(sample.sample, EXPIRED, {"accepted": False, "reasons": [NOT_HELD], "held": there})

    def _guarded(self, sample: Sample, room: RoomRuntime) -> Answer:
        try:
            return self._judged(sample, room)
        except Exception:  # noqa: BLE001 - whatever foreign frames break here, the other rooms go on
            _log.exception("sample %s of room %s cannot be judged", sample.sample, sample.room)
            return Answer(sample.sample, EXPIRED, {"accepted": False, "reasons": [BROKEN]})

    def _judged(self, sample: Sample, room: RoomRuntime) -> Answer:
        span = Span(sample.from_ns, sample.to_ns)
        clip, source = self.recent.cut(sample.room, span)
        earlier = accepted_samples(self._store, sample.room, sample.task)
        known = of_kind(room.baselines, simulated=source is Source.SIMULATED)
        said = replace(labelled(sample), frames=self.recent.fingerprint(sample.room, span))
        others = [labelled(one) for one in earlier]
        false_alarm = sample.origin == FALSE_ALARM
        verdict = judge(clip, said, self._spec, others, known, false_alarm=false_alarm)
        windows = clip.pack() if verdict.accepted else None
        state = ACCEPTED if verdict.accepted else REJECTED
        origin = FALSE_ALARM if false_alarm and source is Source.LIVE else source.value
        return Answer(sample.sample, state, verdict.to_json(), origin, windows)


def _inside(sample: Sample, held: Span) -> bool:
    return held.from_ns <= sample.from_ns and sample.to_ns <= held.to_ns


def _may_come(sample: Sample, held: Span | None) -> bool:
    """Whether the span may be held in a moment: its last windows are not closed yet."""
    return held is None or (held.from_ns <= sample.from_ns and sample.to_ns <= held.to_ns + _SOON_NS)
