"""What `bench pipeline` compares with: the frames it sends, and what parsing and inference alone take."""

import time
from collections.abc import Callable
from statistics import median

from rich.console import Console
from rich.progress import track

from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import Schedule
from drivers.simulate.simulation import Simulation
from drivers.stream import Stream
from drivers.wire import Source
from models.sensing import Sensing
from models.signal.window import RoomBuffer, Window, WindowSpec
from service.cli.bench.load import NIC, TICK_S

SCENES = 2
ROUNDS = 7


def simulated_streams(rate: float, seconds: float, *, quiet: bool) -> list[list[bytes]]:
    """Bytes of a simulated card, one entry a tick; people come and go, so that states change."""
    nic, ticks = load(NIC), round(seconds / TICK_S)
    schedule = Schedule(((10.0, 0), (20.0, 2)) * (round(seconds) // 30 + 1))
    streams = []
    for seed in track(range(SCENES), "simulating", console=Console(stderr=True), disable=quiet):
        simulation = Simulation(random_scene(seed, schedule, rate_hz=rate, bandwidth_mhz=20))
        packets = max(round(rate * TICK_S), 1)
        blocks = [simulation.advance(packets).blocks for _ in range(ticks)]
        first, *rest = (encode_in_order(nic, chunk) if chunk else b"" for chunk in blocks)
        streams.append([nic.opening() + first, *rest])
    return streams


def bare_cost(stream: list[bytes], shelves: list[str]) -> dict[str, float]:
    """Processor seconds of parsing alone, a byte, and of features and models alone, a full window.

    The bytes of one stream are parsed in one piece; both are repeated, warm, and the median counts.
    """
    data, nic = b"".join(stream), load(NIC)
    windows = full_windows(data)
    sensing, tasks = Sensing.load(shelves), ["presence", "counting"]

    def infer() -> None:
        for window in windows:
            sensing.predict(window, tasks, source=Source.SIMULATED)

    return {
        "decode_s_per_byte": median_s(lambda: nic.parse(data, final=True)) / len(data),
        "inference_s": median_s(infer) / len(windows),
    }


def median_s(work: Callable[[], object]) -> float:
    """Processor seconds of a piece of work, warm; the median of some rounds."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return median(seconds)


def full_windows(data: bytes) -> list[Window]:
    """Windows of one link's bytes that hold enough frames to predict on."""
    buffer, windows, stream = RoomBuffer(WindowSpec()), [], Stream(load(NIC))
    for start in range(0, len(data), 64 * 1024):
        for block in stream.feed(data[start : start + 64 * 1024]):
            buffer.push("l1", block)
        windows += buffer.closed()
    return [window for window in windows if window.occupancy > 0.7]
