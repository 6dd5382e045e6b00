"""The commands about captures, as a user runs them: good input, bad input, exit codes, one line of error."""

import io
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers import intel5300
from service.cli import main
from service.cli.bench.decode import ALWAYS, bench_decode
from service.cli.bench.race import Result
from tests.drivers.intel import make_block, other
from tests.drivers.receiver import Receiver
from tests.ports import free_port

Done = subprocess.CompletedProcess[bytes]


def roomtone(*words: object, data: bytes = b"") -> Done:
    """The program in a process of its own."""
    command = [sys.executable, "-m", "service.cli", *map(str, words)]
    return subprocess.run(command, input=data, capture_output=True, timeout=100, check=False)


def here(*words: object) -> Done:
    """The same in this process, which is started already: what it prints, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["roomtone", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(list(map(str, words)), code, out.getvalue().encode(), err.getvalue().encode())


def failed(*words: object, how: Callable[..., Done] = here) -> str:
    """The one line that a command fails with."""
    done = how(*words)
    assert done.returncode == 1, done
    lines = done.stderr.decode().strip().splitlines()
    assert "Traceback" not in done.stderr.decode()
    return lines[-1]


def inspected(path: Path, rc: int = 0, how: Callable[..., Done] = here) -> dict[str, Any]:
    done = how("inspect", path, "--json")
    assert done.returncode == rc, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    check_sums(report)
    return report


def check_sums(report: dict[str, Any]) -> None:
    accounted = report["accounted"]
    total = accounted["frames"] + accounted["container"]
    total += sum(accounted["skipped"].values()) + sum(accounted["rejected"].values())
    assert total == report["bytes"]
    assert report["bytes_unaccounted"] == 0
    assert set(accounted["rejected"]) == set(report["rejected"])
    assert sum(link["frames"] for link in report["links"]) == report["frames"]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    block = make_block(300)
    block.table["sequence"][100:] += 7
    path = tmp_path / "capture.dat"
    path.write_bytes(intel5300.encode(block) + other(0xC1, 99) + intel5300.encode(make_block(1))[:90])
    return path


def test_inspect_tells_what_is_in_it(capture: Path) -> None:
    report = inspected(capture, how=roomtone)
    assert report == inspected(capture)
    assert report["nic"] == "intel5300"
    assert report["frames"] == 300
    assert report["rejected"] == {"truncated": 1}
    assert report["accounted"]["skipped"] == {"non_csi": 99}
    (link,) = report["links"]
    assert (link["shape"], link["rate_hz"], link["gaps"], link["missing"]) == ([30, 3, 2], 100.0, 1, 7)


def test_inspect_for_people_and_as_a_picture(capture: Path, tmp_path: Path) -> None:
    packed = tmp_path / "capture.dat.xz"
    packed.write_bytes(lzma.compress(capture.read_bytes()))
    done = here("inspect", packed, "--plot", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    for word in ("intel5300", "300", "100 Hz", "1 x truncated", "7 frames missing"):
        assert word in text
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_where_the_counter_stands_still_gaps_are_told_by_time_or_not_at_all(tmp_path: Path) -> None:
    block = make_block(50)
    block.table["sequence"] = 5
    block.table["capture_ns"][30:] += 20_000_000
    (tmp_path / "a.dat").write_bytes(intel5300.encode(block))
    (link,) = inspected(tmp_path / "a.dat")["links"]
    assert (link["gaps"], link["missing"], link["loss_method"]) == (1, 2, "timing")
    block.table["capture_ns"] = 4000
    (tmp_path / "a.dat").write_bytes(intel5300.encode(block))
    (link,) = inspected(tmp_path / "a.dat")["links"]
    assert (link["gaps"], link["missing"], link["loss_method"]) == (None, None, "unknown")
    assert "stands still" in link["gaps_unknown"]


def test_inspect_bears_a_stuck_clock_and_mixed_shapes(tmp_path: Path) -> None:
    block = make_block(5)
    block.table["capture_ns"] = 4000
    (tmp_path / "a.dat").write_bytes(intel5300.encode(block) + intel5300.encode(make_block(2, ntx=3)))
    done = here("inspect", tmp_path / "a.dat", "--json", "--plot", tmp_path / "a.png")
    report = json.loads(done.stdout)
    check_sums(report)
    assert {tuple(kind["shape"]) for kind in report["links"][0]["shapes"]} == {(30, 3, 2), (30, 3, 3)}
    assert (tmp_path / "a.png").exists()


def test_what_is_no_capture_fails_with_one_line_and_full_json(tmp_path: Path) -> None:
    (tmp_path / "empty.dat").write_bytes(b"")
    (tmp_path / "code.py").write_text("import numpy as np\n" * 99)
    for name, word in (
        ("empty.dat", "empty"),
        ("code.py", "not a CSI capture"),
        ("none.dat", "No such file"),
    ):
        report = inspected(tmp_path / name, rc=1)
        assert report["nic"] is None
        assert report["frames"] == 0
        for text in (
            report["error"],
            failed("inspect", tmp_path / name),
            failed("decode", tmp_path / name, "-o", tmp_path / "out.npz"),
        ):
            assert name in text
            assert word in text
    assert not (tmp_path / "out.npz").exists()
    assert inspected(tmp_path / "code.py", rc=1)["accounted"]["rejected"] == {"unknown_format": 19 * 99}
    assert "intel6300" in failed("inspect", tmp_path / "code.py", "--nic", "intel6300")


def test_a_capture_without_a_whole_frame(tmp_path: Path) -> None:
    (tmp_path / "cut.dat").write_bytes(intel5300.encode(make_block(1))[:200])
    report = inspected(tmp_path / "cut.dat", rc=1)
    assert report["nic"] == "intel5300"
    assert report["rejected"] == {"truncated": 1}
    assert "no frame" in report["error"]
    assert "no frame" in failed("decode", tmp_path / "cut.dat", "-o", tmp_path / "out.npz")


def test_a_pack_that_breaks_off_keeps_what_was_read(tmp_path: Path) -> None:
    packed = lzma.compress(intel5300.encode(make_block(3000)))
    (tmp_path / "a.dat.xz").write_bytes(packed[: len(packed) // 2])
    report = inspected(tmp_path / "a.dat.xz", rc=1)
    assert report["frames"] > 100
    assert "a.dat.xz" in report["error"]


def test_decode_writes_the_raw_channel(tmp_path: Path) -> None:
    one, two = make_block(40, antennas=(0, 2)), make_block(30, ntx=3, wide=True, seed=1)
    two.table["capture_ns"] += 10**9
    two.table["sequence"] += 40
    (tmp_path / "a.dat").write_bytes(intel5300.encode(one) + intel5300.encode(two))
    done = here("decode", tmp_path / "a.dat", "-o", tmp_path / "a.npz")
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "a.npz")
    assert found["csi"].shape == (70, 30, 3, 3)
    assert found["csi"].dtype == np.complex64
    assert np.array_equal(found["csi"][:40, ..., :2], one.csi())
    assert not found["csi"][:40, ..., 2].any()
    assert np.array_equal(found["csi"][40:], two.csi())
    assert np.array_equal(found["timestamp_ns"][40:], two.table["capture_ns"])
    assert np.array_equal(found["sequence"], np.arange(70))
    assert np.array_equal(found["rssi_dbm"][:40], one.table["rssi_dbm"][:, :3], equal_nan=True)
    assert found["subcarrier_index"].shape == (70, 30)
    assert found["subcarrier_index"][69, 0] == -58
    for name in ("noise_dbm", "agc_db", "rate", "flags", "bandwidth_mhz", "scale"):
        assert len(found[name]) == 70


def test_decode_says_where_it_cannot_write(capture: Path, tmp_path: Path) -> None:
    assert "nowhere" in failed("decode", capture, "-o", tmp_path / "nowhere" / "a.npz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["capture.dat"]


def test_decode_destroys_neither_its_capture_nor_a_device(capture: Path, tmp_path: Path) -> None:
    before, pipe = capture.read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "it is the capture" in failed("decode", capture, "-o", capture)
    assert "no regular file" in failed("decode", capture, "-o", pipe)
    assert capture.read_bytes() == before
    assert pipe.is_fifo()


def test_a_picture_that_cannot_be_drawn_leaves_the_json_whole(capture: Path, tmp_path: Path) -> None:
    done = here("inspect", capture, "--json", "--plot", tmp_path / "no" / "out.png")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    check_sums(report)
    assert report["frames"] == 300
    assert "out.png" in report["error"]


def test_every_real_capture_is_accounted_for(captures: Path, shared: Path, tmp_path: Path) -> None:
    """In this process: a start of the command for each file would take minutes."""
    from typer.testing import CliRunner

    from service.cli.decode import app as decode
    from service.cli.inspect import app as inspect

    files = [*(captures / "intel5300").glob("*.dat"), *(captures / "corner").glob("i_*")]
    assert len(files) == 37
    for path in files:
        shown = CliRunner().invoke(inspect, [str(path), "--json"])
        report = json.loads(shown.stdout)
        check_sums(report)
        no_capture = path.name in {"csidata_hr_92bpm.dat", "csidata_hr_csi2.dat"}
        assert shown.exit_code == no_capture, path.name
        assert (report["nic"] is None) == no_capture
        golden = shared / "golden" / f"{path.name}.npz"
        if golden.exists():
            assert CliRunner().invoke(decode, [str(path), "-o", str(tmp_path / "a.npz")]).exit_code == 0
            found, wanted = np.load(tmp_path / "a.npz"), np.load(golden)
            tx = found["csi"].shape[3]
            assert np.array_equal(found["csi"], wanted["csi"][..., :tx])
            assert not wanted["csi"][..., tx:].any()
            np.testing.assert_allclose(found["scale"], wanted["scale"], rtol=1e-9)
            assert np.array_equal(found["timestamp_ns"] // 1000 % 2**32, wanted["timestamp_low"]), path.name


def test_adapter_delivers_standard_input_live() -> None:
    data = intel5300.encode(make_block(200))
    with Receiver(window=64) as receiver:
        words = ["--nic", "intel5300", "--link", "l1", "--room", "lab", "--to", receiver.endpoint]
        done = roomtone("adapter", *words, "--source", "-", data=data)
        assert done.returncode == 0, done.stderr
        assert b"200 frames, 200 published, 200 processed, 0 dropped" in done.stderr
        assert {header.source for header in receiver.seen} == {"live"}
        assert receiver.frames == 200


def test_adapter_marks_a_file_as_a_replay(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(intel5300.encode(make_block(20)))
    with Receiver() as receiver:
        words = ["--nic", "intel5300", "--link", "l1", "--to", receiver.endpoint]
        assert roomtone("adapter", *words, "--source", f"file:{tmp_path / 'a.dat'}").returncode == 0
        assert {header.source for header in receiver.seen} == {"replay"}


def test_adapter_says_what_is_wrong() -> None:
    words = ["adapter", "--link", "l1", "--to"]
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    fed = partial(roomtone, data=b"import this\n" * 99)
    assert "file:PATH" in failed(*words, nowhere, "--nic", "intel5300", "--source", "tcp:5500", how=fed)
    assert "No such file" in failed(*words, nowhere, "--nic", "intel5300", "--source", "none.dat", how=fed)
    assert "no NIC named" in failed(*words, nowhere, "--nic", "intel6300", "--source", "-", how=fed)
    with Receiver() as receiver:
        assert "no frame" in failed(*words, receiver.endpoint, "--nic", "intel5300", "--source", "-", how=fed)


def test_bench_reports_what_it_measured_and_what_it_left_out(
    captures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("csiread")
    monkeypatch.setattr("service.cli.bench.race.FILE_BYTES", 1_000_000)
    monkeypatch.setattr("service.cli.bench.race.ROUNDS", 1)
    results = bench_decode(captures)
    assert [result.capture for result in results] == list(ALWAYS)
    for result in results:
        if result.nic == "intel5300":
            assert isinstance(result, Result)
            assert result.ratio == round(result.frames_per_s / result.peer_frames_per_s, 2)
            assert result.frames_per_s > 0


def test_bench_without_captures_says_so(tmp_path: Path) -> None:
    assert "--captures" in failed("bench", "decode", "--captures", tmp_path / "none")
