"""`bench pipeline`: its arithmetic, and one short real measurement."""

import json

import pytest
from typer.testing import CliRunner

from models.zoo import SHELVES, shelved
from service.cli.bench import adapt as bench_adapt
from service.cli.bench import beside as bench_beside
from service.cli.bench import figures as bench_figures
from service.cli.bench import lesson as bench_lesson
from service.cli.bench import models as bench_models
from service.cli.bench import pipeline as bench_pipeline
from service.cli.bench.figures import as_text, figures
from service.cli.bench.load import Sent, Usage
from service.cli.bench.observe import Seen
from service.cli.errors import CommandError

MS = 1_000_000
BARE = {"decode_s_per_byte": 1e-8, "inference_s": 0.002}


def usage(seconds: int, cpu_share: float, bytes_a_second: int = 0, busy_start_s: float = 5.0) -> list[Usage]:
    """A process that starts with a burst of work and then takes a steady share."""
    return [
        Usage(1000 * MS * at, (busy_start_s if at else 0) + cpu_share * at, bytes_a_second * at)
        for at in range(seconds + 1)
    ]


def sent(closing: dict[tuple[str, int], int]) -> Sent:
    return Sent(closing=closing, frames=1000, dropped=3, usage=usage(100, 0.01, 100_000))


def test_the_figures_follow_from_what_was_seen() -> None:
    ends = [number * 1000 * MS for number in range(100)]
    closing = {("a", end): end + 300 * MS for end in ends}
    windows = {key: at + (number + 1) * MS for number, (key, at) in enumerate(closing.items())}
    seen = Seen(
        windows=windows,
        events=7,
        predictions=200,
        peak_bytes=3 * 2**20,
        idle_bytes=2**20,
        usage=usage(110, 0.03),
    )
    result = {"rooms": 1, "rate_hz": 10, **figures(100.0, 1, [sent(closing)], seen, BARE)}
    assert result["latency_ms"]["n"] == 92, "the first 8 s are warm-up"
    assert result["latency_ms"]["max"] == 100.0
    assert 9 <= result["latency_ms"]["p50"] - 45 <= 10
    assert result["lag_ms_per_minute"] == 60.0, "a millisecond a second"
    assert result["windows_missing"] == 0
    assert result["cpu"]["span_s"] == 91, "from the first look after the warm-up to the senders' last one"
    assert result["cores"] == 0.04, "start-up is left out"
    assert result["cpu"]["ratio"] == pytest.approx(0.04 / (100_000e-8 + 0.002), rel=1e-3)
    assert result["cpu"]["worker_ratio"] == pytest.approx(0.03 / 0.002, rel=1e-3)
    assert (result["memory_mb"]["worker_peak"], result["per_room"]["memory_kb"]) == (3.0, 2048.0)
    assert "p99" in as_text(result)


def test_windows_that_never_became_visible_are_counted() -> None:
    ends = [number * 1000 * MS for number in range(20)]
    closing = {("a", end): end for end in ends}
    seen = Seen(windows={("a", end): end + MS for end in ends[:-2]}, usage=usage(100, 0.1))
    assert figures(20.0, 1, [sent(closing)], seen, BARE)["windows_missing"] == 2


def test_a_steady_state_that_was_not_seen_is_an_error() -> None:
    closing = {("a", number * 1000 * MS): number * 1000 * MS for number in range(20)}
    seen = Seen(windows={key: at + MS for key, at in closing.items()}, usage=usage(5, 0.1))
    with pytest.raises(CommandError, match="too short"):
        figures(20.0, 1, [sent(closing)], seen, BARE)


def test_a_run_without_windows_is_an_error() -> None:
    with pytest.raises(CommandError, match="worth nothing"):
        figures(20.0, 1, [sent({("a", 0): 0})], Seen(usage=usage(100, 0.1)), BARE)


def test_a_short_run_measures_a_real_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_figures, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench_pipeline, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench_pipeline, "LEAST_S", 1.0)
    done = CliRunner().invoke(
        bench_pipeline.app, ["--rooms", "2", "--rate", "40", "--seconds", "4", "--json"]
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["dropped"] == 0
    assert result["frames"] > 2 * 40 * 4 * 0.8
    assert result["latency_ms"]["n"] >= 4
    assert result["windows_missing"] == 0
    assert result["cpu"]["ratio"] > 0


def test_a_run_too_short_to_tell_anything_is_refused() -> None:
    done = CliRunner().invoke(bench_pipeline.app, ["--seconds", "2"])
    assert done.exit_code == 2
    assert "15" in done.output


def test_models_are_told_with_size_and_time() -> None:
    told = json.loads(CliRunner().invoke(bench_models.app, ["--json"], catch_exceptions=False).stdout)
    shipped = {one.card.name: len(one.onnx) for one in shelved(SHELVES)}
    assert {one["model"]: one["bytes"] for one in told["items"]} == shipped
    assert told["windows"] >= 8
    assert all(one["model_ms"] > 0 and one["input_ms"] > 0 for one in told["items"])  # how fast is only told
    shown = CliRunner().invoke(bench_models.app, [], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert all(name in shown.stdout for name in shipped)


def test_adaptation_is_timed_by_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_adapt, "available", lambda: ["head_refit"])
    monkeypatch.setattr(bench_lesson, "SECONDS", 8.0)
    monkeypatch.setattr(bench_lesson, "CLASSES", 3)
    done = CliRunner().invoke(bench_adapt.app, ["--seconds", "0", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert told["methods"].keys() == {"shipped", "head_refit"}
    assert all(one["state"] == "provisional" and one["seconds"] > 0 for one in told["methods"].values())
    assert told["roll_back_ms"] > 0
    assert told["serving"] is None


def test_serving_is_measured_beside_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_figures, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench_beside, "WARM_UP_S", 1.0)
    monkeypatch.setattr(bench_beside, "available", lambda: ["head_refit"])
    monkeypatch.setattr(bench_lesson, "SECONDS", 6.0)
    monkeypatch.setattr(bench_lesson, "CLASSES", 2)
    told = bench_beside.beside_a_training(2, 4.0, quiet=True)
    assert told["method"] == "head_refit"
    assert told["jobs"] > 0
    assert min(told["alone"]["n"], told["beside"]["n"]) >= 4
