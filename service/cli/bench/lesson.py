"""Labelled samples of a simulated room, for benches."""

from rich.console import Console
from rich.progress import track

from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import Schedule
from drivers.simulate.simulation import Simulation
from models.signal.clip import clip_of
from service.cli.bench.bare import full_windows
from service.cli.bench.load import NIC
from service.store.engine import Store
from service.store.samples import ACCEPTED, Answer, Asked, add

CLASSES, SECONDS = 8, 20.0
_RATE_HZ = 100.0
_SECOND = 1_000_000_000


def teach(store: Store, room: str, task: str, *, quiet: bool) -> None:
    """An accepted sample of `SECONDS` for each number of people, as if they had been uploaded."""
    for people in track(range(CLASSES), "samples", console=Console(stderr=True), disable=quiet):
        schedule = Schedule(((SECONDS + 1, people),))
        simulation = Simulation(random_scene(people, schedule, rate_hz=_RATE_HZ, bandwidth_mhz=20))
        nic = load(NIC)
        blocks = simulation.advance(round((SECONDS + 1) * _RATE_HZ)).blocks
        clip = clip_of(full_windows(nic.opening() + encode_in_order(nic, blocks)))
        if clip is None:
            raise RuntimeError("the simulated recording holds no window")
        span = (clip.start_ns + people * 120 * _SECOND, clip.end_ns + people * 120 * _SECOND)
        asked = Asked(room, task, str(people), *span, "bench")
        verdict = {"accepted": True, "reasons": [], "warnings": []}
        add(store, asked, Answer("", ACCEPTED, verdict, "live", clip.pack()))
