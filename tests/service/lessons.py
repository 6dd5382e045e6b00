"""Labelled samples of a made-up room in a store, without a worker: what a trainer learns from."""

from dataclasses import replace

from models.signal.clip import Clip, clip_of
from models.signal.window import Window, WindowSpec
from service.store.engine import Store
from service.store.samples import ACCEPTED, Answer, Asked, add
from tests.models import make

SPEC = WindowSpec()
S = 1_000_000_000


def windows(people: int, seconds: float = 24.0, *, seed: int = 0) -> list[Window]:
    """Windows of so many people who walk."""
    return make.windows(make.recording(seconds, people, seed=seed))


def moved(window: Window, by_ns: int, nic: str = "intel5300") -> Window:
    """The same window at another time, of another card."""
    parts = tuple(replace(part, time_ns=part.time_ns + by_ns, nic=nic) for part in window.parts)
    return replace(
        window,
        start_ns=window.start_ns + by_ns,
        end_ns=window.end_ns + by_ns,
        nics=tuple(nic for _ in parts),
        parts=parts,
    )


def teach(
    store: Store,
    label: str,
    people: int,
    *,
    task: str = "counting",
    room: str = "lab",
    seed: int = 0,
    after_s: float = 0.0,
    origin: str = "live",
    seconds: float = 24.0,
    nic: str = "intel5300",
) -> str:
    """An accepted sample that says `label` while `people` walk; its id."""
    cut = [moved(one, round(after_s * S), nic) for one in windows(people, seconds, seed=seed)]
    clip = clip_of(cut)
    assert isinstance(clip, Clip)
    asked = Asked(room, task, label, clip.start_ns, clip.end_ns, "installer")
    verdict = {"accepted": True, "reasons": [], "warnings": []}
    return add(store, asked, Answer("", ACCEPTED, verdict, origin, clip.pack())).sample
