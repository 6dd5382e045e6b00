"""Sets whose files hold one class each: frames as the cards gave them, and figures that are told as void."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner

from models.data import box, esp32_days
from models.data.recorded import esp32_block, nexmon_block
from models.data.registry import Dataset, caveats_of, dataset_of
from models.data.samples import Samples
from models.errors import DatasetError
from models.figures.page import _reached
from models.figures.rows import BOX, ESP32, ROWS, Row
from models.training.cli_evaluate import app
from models.training.evaluate import Question, Report, evaluate
from tests.conftest import SHARED

RISING = np.arange(-32, 32)
DAYS = {"mon_los_empty": 0, "mon_los_occupied": 1, "tue_los_empty": 0, "tue_los_occupied": 1}
PAIRS = {"r1_v1_empty": 0, "r1_v1_filled": 1, "r2_v1_empty": 0, "r2_v1_filled": 1}


def channel(times: np.ndarray, bins: np.ndarray, moved: float, seed: int, size: float) -> np.ndarray:
    """Complex ``[frame, bin]``: a still channel, an echo that comes and goes slowly, and noise."""
    rng = np.random.default_rng(seed)
    echo = np.exp(2j * np.pi * (0.3 * times[:, None] + 0.02 * bins))
    noise = rng.standard_normal((2, len(times), len(bins))) * 0.02
    return np.asarray(size * (1 + moved * echo + noise[0] + 1j * noise[1]))


def document(report: Report) -> dict[str, Any]:
    return dict(report.document)


def esp32_file(path: Path, label: int, number: int, rate: float) -> None:
    """Two recordings of 40 s, the later one first in the file."""
    when = np.concatenate([np.arange(0, 40, 1 / rate) + start for start in (70.0, 0.0)])
    csi = channel(when, RISING, 0.4 * label, number, 20)
    csi[:, (abs(RISING) > 26) | (RISING == 0)] = 0
    pairs = np.stack([csi.imag, csi.real], axis=-1).round().astype(np.int8)
    pairs[:, :2] = ((28, -64), (1, 0))
    np.savez(
        path,
        csi_int8=pairs.reshape(len(when), 128),
        epoch_s=1.782e9 + 90_000 * number + when,
        rssi=np.full(len(when), -60, np.int8),
        file_no=(when < 60).astype(np.int16),
        occupied=np.int8(label),
    )


def nexmon_file(path: Path, label: int, number: int) -> None:
    """Two runs of 40 s at 5 Hz."""
    when = np.tile(np.arange(0, 40, 0.2), 2)
    csi = channel(when, np.fft.fftfreq(256, 1 / 256), 0.4 * label, number, 700)
    np.savez(
        path,
        csi_int16=np.stack([csi.real, csi.imag], axis=-1).round().astype(np.int16),
        time_s=when.astype(np.float32),
        rssi=np.full(len(when), -50, np.int8),
        run=np.repeat([0, 1], len(when) // 2).astype(np.int16),
        run_start=np.array([f"2{number}_10_2024_10_0{minute}_00" for minute in (0, 2)]),
        filled=np.int8(label),
    )


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("days")
    for number, (name, label) in enumerate(DAYS.items()):
        esp32_file(folder / f"{name}.npz", label, number, rate=(4.2, 11.0)[number % 2])
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for number, (name, label) in enumerate(PAIRS.items()):
        nexmon_file(folder / f"{name}.npz", label, number)
    return folder


def both(days: Path, pairs: Path) -> tuple[Samples, Samples]:
    return (
        esp32_days.load(days, "presence", ["mon", "tue_los_empty"]),
        box.load(pairs, "suspicious_object", ["r1_v1", "r2_v1_empty"]),
    )


def test_domains_are_files_and_what_groups_them(days: Path, pairs: Path) -> None:
    assert (dataset_of(days).NAME, dataset_of(pairs).NAME) == ("esp32_days", "box")
    assert set(esp32_days.domains(days, "presence")) == {*DAYS, "mon", "tue"}
    assert set(box.domains(pairs, "suspicious_object")) == {*PAIRS, "r1_v1", "r2_v1"}
    for samples, group in zip(both(days, pairs), ("mon", "r1_v1"), strict=True):
        grouped = samples.take(samples.domain == group)
        assert sorted(set(grouped.label.tolist())) == [0, 1]
        assert len(set(samples.session.tolist())) == 3


def test_windows_lie_inside_one_recording_and_far_from_what_is_learned(days: Path, pairs: Path) -> None:
    for samples, gap in zip(both(days, pairs), ((40, 70), (40, 120)), strict=True):
        assert samples.length_s == 12
        assert samples.guard == 15
        assert samples.mask.all()
        ends = samples.start_s + samples.length_s
        outside = (samples.start_s < gap[1] - 0.3) & (ends > gap[0] + 0.3)
        assert not outside.any()
        assert (samples.start_s >= gap[1] - 0.3).any(), "the second recording is there too"


def test_the_rate_of_packets_tells_no_recording(days: Path) -> None:
    """Empty at 4.2 and occupied at 11 packets a second: one a quarter of a second is kept of both."""
    slow, fast = (esp32_days.load(days, "presence", [f"mon_los_{one}"]) for one in ("empty", "occupied"))
    assert abs(len(slow) - len(fast)) <= 2
    with np.load(days / "mon_los_occupied.npz") as file:
        time_ns = np.round(file["epoch_s"] * 1e9).astype(np.int64)
        kept = esp32_days._thinned(time_ns, np.flatnonzero(file["file_no"] == 1))
    assert abs(len(kept) - 160) <= 2
    assert (np.diff(time_ns[kept]) > 0).all()


@pytest.mark.parametrize("rising", [True, False])
def test_values_of_an_esp32_stand_where_the_card_measured_them(rising: bool) -> None:
    order = RISING if rising else np.roll(RISING, 32)
    pairs = np.zeros((1, 64, 2), np.int8)
    pairs[0, :, 0], pairs[0, :, 1] = order, 7  # imaginary part first: the subcarrier; the real part: 7
    pairs[0, (abs(order) > 26) | (order == 0)] = 0
    block = esp32_block(pairs.reshape(1, 128), np.zeros(1, np.int64), np.zeros(1))
    usable = block.usable
    assert block.csi()[0, usable, 0, 0].tolist() == [7 + 1j * int(one) for one in order[usable]]
    assert block.subcarrier_index[usable].tolist() == order[usable].tolist()
    assert usable.sum() == (52 if rising else 51), "what stands first is overwritten"


def test_values_of_a_nexmon_stand_in_fft_order() -> None:
    values = np.stack([np.arange(256), np.full(256, 3)], axis=-1)[None].astype(np.int16)
    block = nexmon_block(values, np.zeros(1, np.int64), np.zeros(1))
    at = {
        int(index): int(value)
        for index, value in zip(block.subcarrier_index, block.raw[0, :, 0, 0, 0], strict=True)
    }
    assert (at[100], at[-1], at[-128]) == (100, 255, 128)


def test_split_across_days_is_a_figure_and_within_a_day_is_none(days: Path) -> None:
    across = document(evaluate(Question("presence", days, "mon", "tue", seeds=1)))
    assert across["evidence"] is True
    assert len(across["warnings"]) == 1
    assert "recording_fingerprint" in across["baselines"]
    found = caveats_of(
        cast("Dataset", esp32_days), "presence", ["mon_los_empty", "tue"], ["mon_los_occupied"]
    )
    assert [one.void for one in found] == [False, True]
    assert "share a day, mon" in found[1].words


def test_the_box_is_no_accuracy_whatever_the_split(pairs: Path) -> None:
    words = [
        "suspicious_object",
        "--data",
        str(pairs),
        "--source",
        "r1_v1",
        "--target",
        "r2_v1",
        "--seeds",
        "1",
    ]
    told = CliRunner().invoke(app, words).output
    assert "warning: all filled runs were recorded before all empty ones" in told
    assert "no accuracy" in " ".join(told.split())
    assert "recording_fingerprint" in told
    assert _reached({"mean": 0.99, "sd": 0}, evidence=False) == "no accuracy (0.990 ± 0.000)"


def test_both_sides_of_one_file_are_refused_under_either_name(days: Path) -> None:
    with pytest.raises(ValueError, match=r"source and target share frames of mon_los_(empty|occupied)"):
        evaluate(Question("presence", days, "mon", "mon_los_empty,mon_los_occupied", seeds=1))


@pytest.mark.parametrize(
    ("one", "task", "name", "flag"),
    [
        (esp32_days, "presence", "mon_los_empty", "occupied"),
        (box, "suspicious_object", "r1_v1_empty", "filled"),
    ],
)
def test_damage_is_named(
    *, one: Dataset, task: str, name: str, flag: str, days: Path, pairs: Path, tmp_path: Path
) -> None:
    csi, time, good = ("csi_int16", "time_s", pairs) if one is box else ("csi_int8", "epoch_s", days)

    def spoilt(change: Callable[[dict[str, np.ndarray]], object], said: str) -> None:
        with np.load(good / f"{name}.npz") as file:
            arrays = {key: file[key] for key in file.files}
        change(arrays)
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(DatasetError, match=said):
            one.load(tmp_path, task, [name])

    spoilt(lambda arrays: arrays.pop(flag), f"{name}.npz lacks {flag}")
    spoilt(lambda arrays: arrays.update({flag: np.array(3, np.int8)}), f"{flag} is 3; a single 0 or 1")
    spoilt(lambda arrays: arrays.update(rssi=arrays["rssi"][:-1]), "arrays differ in length")
    spoilt(lambda arrays: arrays.update({csi: arrays[csi][:, :9]}), f"{csi} is .* is expected")
    spoilt(lambda arrays: arrays.update({time: arrays[time] * np.nan}), "what is no time")
    keep = slice(0, 30)
    spoilt(
        lambda arrays: arrays.update(
            {key: value[keep] for key, value in arrays.items() if value.ndim and key != "run_start"}
        ),
        "is as long as one window of 12 s",
    )


def test_what_is_not_there_is_named(days: Path, pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown domain 'wed'"):
        esp32_days.load(days, "presence", ["wed"])
    with pytest.raises(DatasetError, match=r"no class 'metal' in .*; there are empty, filled"):
        box.load(pairs, "suspicious_object", ["r1_v1"], classes=["metal"])
    with pytest.raises(DatasetError, match="class 'filled' of r1_v1_empty is empty"):
        box.load(pairs, "suspicious_object", ["r1_v1_empty"], classes=["filled"])
    with pytest.raises(DatasetError, match=r"holds no <name>_<name>\.npz"):
        box.domains(tmp_path, "suspicious_object")
    with pytest.raises(ValueError, match="the target holds one class only"):
        evaluate(Question("presence", days, "mon", "tue_los_empty", seeds=1))


@pytest.mark.shared
@pytest.mark.parametrize("data", [ESP32, BOX])
def test_the_real_set_is_read_and_told_as_no_accuracy(data: str) -> None:
    if not (SHARED / "datasets" / data).is_dir():
        pytest.skip(f"no {data} beside the checkout")
    row = next(row for row in ROWS if row.data == data)
    found = document(_asked(row))
    assert found["evidence"] is False
    assert found["n_skipped_low_occupancy"] <= 3
    assert found["n_units"] == {ESP32: 900, BOX: 240}[data]
    control = found["baselines"]["recording_fingerprint"]
    assert control[next(iter(row.aims))]["mean"] > 0.75, "the recording alone tells the classes"


def _asked(row: Row) -> Report:
    given = dict(zip(row.words[::2], row.words[1::2], strict=True))
    folder = SHARED / "datasets" / row.data
    return evaluate(Question(row.task, folder, given["--source"], given["--target"], seeds=1))
