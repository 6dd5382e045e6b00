"""From what `bench pipeline` saw to the figures it prints."""

from typing import Any

import numpy as np

from service.cli.bench.load import Sent, Usage
from service.cli.bench.observe import Seen
from service.cli.errors import CommandError

WARM_UP_S = 8.0
"""Left out of latencies and CPU: everything starts, the first windows fill, the first models run."""


def figures(
    seconds: float, rooms: int, sent: list[Sent], seen: Seen, bare: dict[str, float]
) -> dict[str, Any]:
    """What is printed; `bare` is processor seconds a byte parsed and a window predicted."""
    closing, begin, judged = _judged(sent, seen)
    latency, cpu = _spread(list(judged.values())), _cpu(sent, seen, bare, round(begin))
    return {
        "seconds": seconds,
        "frames": sum(part.frames for part in sent),
        "dropped": sum(part.dropped for part in sent),
        "windows": len(seen.windows),
        "windows_missing": sum(at >= begin and key not in seen.windows for key, at in closing.items()),
        "predictions": seen.predictions,
        "events": seen.events,
        "latency_ms": latency,
        "lag_ms_per_minute": _slope({at: judged[key] for key, at in closing.items() if key in judged}),
        "cpu": cpu,
        "cores": round(cpu["total_s"] / cpu["span_s"], 3),
        "memory_mb": {
            "worker_peak": round(seen.peak_bytes / 2**20, 1),
            "worker_idle": round(seen.idle_bytes / 2**20, 1),
        },
        "per_room": {
            "cpu_ms_per_s": round(1000 * cpu["total_s"] / cpu["span_s"] / rooms, 2),
            "memory_kb": round((seen.peak_bytes - seen.idle_bytes) / 1024 / rooms, 1),
        },
    }


def spread_of(sent: list[Sent], seen: Seen) -> dict[str, float | int]:
    """Latency in milliseconds from a window's closing frame to its commit, in the steady state."""
    return _spread(list(_judged(sent, seen)[2].values()))


Key = tuple[str, int]


def _judged(sent: list[Sent], seen: Seen) -> tuple[dict[Key, int], float, dict[Key, float]]:
    """When each window's closing frame was sent, where the steady state begins, and latencies within it."""
    closing = {key: at for part in sent for key, at in part.closing.items()}
    begin = min(closing.values()) + WARM_UP_S * 1e9
    judged = {
        key: (seen.windows[key] - at) / 1e6
        for key, at in closing.items()
        if at >= begin and key in seen.windows
    }
    return closing, begin, judged


def _cpu(sent: list[Sent], seen: Seen, bare: dict[str, float], begin_ns: int) -> dict[str, float]:
    """Processor seconds of the steady state, and their ratio to bare decoding and inference of the same.

    The steady state lasts from `begin_ns` to the last look at the worker before the senders end. In the
    numerator is all that worker and adapters do; in the denominator what it takes to parse as many bytes at
    one go, and to compute features of and run the models on as many windows, nothing else.
    """
    end_ns = min(part.usage[-1].at_ns for part in sent)
    worker = _steady(seen.usage, begin_ns, end_ns)
    span_s = (worker[1].at_ns - worker[0].at_ns) / 1e9
    windows = sum(worker[0].at_ns <= at < worker[1].at_ns for at in seen.windows.values())
    adapters = decode = 0.0
    for part in sent:
        first, last = _steady(part.usage, begin_ns, end_ns)
        share = span_s / ((last.at_ns - first.at_ns) / 1e9)
        adapters += share * (last.cpu_s - first.cpu_s)
        decode += share * (last.parsed_bytes - first.parsed_bytes) * bare["decode_s_per_byte"]
    inference, worker_s = windows * bare["inference_s"], worker[1].cpu_s - worker[0].cpu_s
    parts = {
        "span_s": span_s,
        "adapters_s": adapters,
        "worker_s": worker_s,
        "total_s": adapters + worker_s,
        "bare_decode_s": decode,
        "bare_inference_s": inference,
        "ratio": (adapters + worker_s) / (decode + inference),
        "worker_ratio": worker_s / inference,
    }
    return {name: round(value, 4) for name, value in parts.items()}


def _steady(usage: list[Usage], begin_ns: int, end_ns: int) -> tuple[Usage, Usage]:
    inside = [one for one in usage if begin_ns <= one.at_ns <= end_ns]
    if len(inside) < 2:
        raise CommandError("the steady state is too short to be measured: use more --seconds")
    return inside[0], inside[-1]


def _spread(values: list[float]) -> dict[str, float | int]:
    if not values:
        raise CommandError("no window was predicted: the measurement is worth nothing")
    p50, p99 = np.percentile(values, [50, 99])
    return {
        "p50": round(float(p50), 1),
        "p99": round(float(p99), 1),
        "max": round(max(values), 1),
        "n": len(values),
    }


def _slope(latency_ms: dict[int, float]) -> float:
    """Growth of the latency over the run, least squares."""
    at = (np.array(list(latency_ms)) - min(latency_ms)) / 60e9
    return round(float(np.polyfit(at, np.array(list(latency_ms.values())), 1)[0]), 2)


def as_text(result: dict[str, Any]) -> str:
    """The figures as people read them."""
    latency, cpu, memory = result["latency_ms"], result["cpu"], result["memory_mb"]
    return (
        f"{result['rooms']} rooms x {result['rate_hz']:g} frames/s for {result['seconds']:g} s: "
        f"{result['frames']} frames, {result['dropped']} dropped, "
        f"{result['predictions']} predictions, {result['events']} events\n"
        f"closing frame to commit: p50 {latency['p50']} ms, p99 {latency['p99']} ms, "
        f"max {latency['max']} ms ({latency['n']} windows), "
        f"growing by {result['lag_ms_per_minute']} ms a minute\n"
        f"CPU in {cpu['span_s']:.0f} s of steady state: adapters {cpu['adapters_s']} s + "
        f"worker {cpu['worker_s']} s = {result['cores']} cores\n"
        f"that is {cpu['ratio']} times bare decode ({cpu['bare_decode_s']} s) and bare inference "
        f"({cpu['bare_inference_s']} s: features and models); "
        f"the worker alone takes {cpu['worker_ratio']} times bare inference\n"
        f"worker memory: peak {memory['worker_peak']} MB, {result['per_room']['memory_kb']} KB a room"
    )
