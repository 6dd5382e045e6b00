"""The doctor on captures, live sources and services: every fault of the frames is found and said in words."""

import json
import re
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from drivers import intel5300
from drivers.doctor import answer, frames, host
from drivers.doctor.reasons import NO_BYTES, NO_CSI, NOT_RECORDS
from drivers.doctor.seen import Seen, look_into
from drivers.frame import FrameBlock, FrameFlag
from tests.drivers.host_tree import Tree, healthy
from tests.drivers.intel import make_block, other, records
from tests.drivers.receiver import Receiver
from tests.e2e.site import ROOMTONE
from tests.ports import free_port

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
IDS = [check.id for check in host.CHECKS] + [*frames.CHECKS, answer.ID]


def capture(count: int = 200, *, steady_agc: bool = True, **words: Any) -> bytes:
    block = make_block(count, **words)
    if steady_agc:
        block.table["rssi_dbm"] += block.table["agc_db"][:, None] - 30
        block.table["agc_db"] = 30
    return intel5300.encode(block)


def judged(seen: Seen) -> dict[str, dict[str, str]]:
    return {found["id"]: found for found in frames.examine(seen)}


def judge(data: bytes) -> dict[str, dict[str, str]]:
    return judged(look_into([data] if data else [], intel5300))


def made(block: FrameBlock, **facts: Any) -> Seen:
    """Facts of frames as another card's parser would give them."""
    seen = Seen(intel5300, size=1000, **facts)
    seen.account.frame(len(block), 1000)
    seen.add([block])
    return seen


def flagged(flag: FrameFlag, share: float) -> Seen:
    block = make_block(200)
    block.table["flags"][: round(200 * share)] |= np.uint32(flag)
    return made(block)


def times(step_us: "np.ndarray[Any, Any]") -> Seen:
    block = make_block(len(step_us) + 1)
    block.table["capture_ns"][1:] = np.cumsum(step_us) * 1000 + 10**6
    return made(block)


def test_a_good_capture_has_nothing_wrong() -> None:
    found = judge(capture())
    assert list(found) == list(frames.CHECKS)
    wrong = {name: each for name, each in found.items() if each["status"] not in {"ok", "not_applicable"}}
    assert not wrong
    assert {name for name, each in found.items() if each["status"] == "not_applicable"} == {
        "frames.lost",
        "frames.transmitters",
    }


def senders(*macs: int) -> Seen:
    block = make_block(40)
    block.table["transmitter"] = np.resize(np.array(macs, np.uint64), 40)
    return made(block)


def unsupported() -> Seen:
    seen = Seen(intel5300, size=100)
    seen.account.reject("unsupported_chip", 100, 3)
    return seen


def legacy() -> Seen:
    block = make_block(40)
    block.table["rate"] = 0x4
    return made(block)


MIXED = capture(3) + b"\xff" * 300 + capture(3)
FAULTS = [
    ("frames.source", "failed", lambda: Seen(intel5300, trouble="cannot read it")),
    ("frames.source", "warning", lambda: made(make_block(9), unauthenticated=True)),
    ("frames.bytes", "failed", lambda: look_into([], intel5300)),
    ("frames.bytes", "failed", lambda: Seen(intel5300, listened_s=5.0)),
    ("frames.bytes", "failed", lambda: Seen(intel5300, listened_s=5.0, ignored=Counter(unlisted_sender=3))),
    ("frames.records", "failed", lambda: look_into([b"import pandas as pd\n" * 40], intel5300)),
    ("frames.records", "warning", lambda: look_into([MIXED], intel5300)),
    ("frames.chip", "failed", unsupported),
    ("frames.csi", "failed", lambda: look_into([other(0xC1, 200) * 20], intel5300)),
    ("frames.rate", "warning", lambda: made(make_block(60, step_us=50_000))),
    ("frames.rate", "failed", lambda: made(make_block(60, step_us=200_000))),
    ("frames.regularity", "warning", lambda: times(np.resize([500] * 19 + [80_000], 400))),
    ("frames.regularity", "failed", lambda: times(np.resize([500] * 19 + [900_000], 400))),
    (
        "frames.gaps",
        "warning",
        lambda: look_into([b"".join(r for n, r in enumerate(records(400)) if n % 10)], intel5300),
    ),
    (
        "frames.gaps",
        "failed",
        lambda: look_into([b"".join(r for n, r in enumerate(records(400)) if n % 20 < 12)], intel5300),
    ),
    ("frames.lost", "warning", lambda: made(make_block(9), listened_s=1.0, lost=Counter(socket_overflow=4))),
    ("frames.iq", "warning", lambda: flagged(FrameFlag.IQ_SUSPECT, 1)),
    ("frames.antennas", "warning", lambda: made(make_block(9, antennas=(0,)))),
    ("frames.agc", "warning", lambda: look_into([capture(steady_agc=False)], intel5300)),
    ("frames.clock", "failed", lambda: flagged(FrameFlag.CLOCK_STUCK, 0.9)),
    ("frames.clock", "warning", lambda: flagged(FrameFlag.CLOCK_RESET, 0.01)),
    ("frames.legacy", "warning", legacy),
    ("frames.values", "failed", lambda: flagged(FrameFlag.ALL_ZERO, 0.9)),
    ("frames.values", "warning", lambda: flagged(FrameFlag.PHY_ERROR, 0.1)),
    ("frames.transmitters", "warning", lambda: senders(0x0016EA123456, 0x0016EA123457)),
]


def test_every_check_of_the_frames_has_a_fault() -> None:
    assert {name for name, _, _ in FAULTS} == set(frames.CHECKS)


@pytest.mark.parametrize(
    ("name", "status", "fault"), FAULTS, ids=[f"{f[0]}-{n}" for n, f in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_said_what_to_do(name: str, status: str, fault: Any) -> None:
    found = judged(fault())[name]
    assert (found["status"], bool(found["why"]), bool(found["do"])) == (status, True, True), found


def test_what_another_card_gives_is_ok_too() -> None:
    assert judged(senders(0x0016EA123456))["frames.transmitters"]["found"] == "00:16:ea:12:34:56: 40 frames"
    assert judged(made(make_block(9), listened_s=1.0))["frames.lost"]["status"] == "ok"


def test_without_bytes_the_rest_is_unknown_never_ok() -> None:
    found = judge(b"")
    assert {
        each["status"] for name, each in found.items() if name not in {"frames.source", "frames.bytes"}
    } <= {
        "unknown",
        "not_applicable",
    }
    assert "connector_log" in found["frames.bytes"]["do"]


def test_only_mpdus_point_at_connector_log() -> None:
    found = judge(other(0xC1, 1453) * 12)["frames.csi"]
    assert "12 x non_csi" in found["found"]
    assert "connector_log" in found["do"]


def test_the_reasons_cover_every_card() -> None:
    assert set(NO_BYTES) == set(NOT_RECORDS) == set(NO_CSI) == set(host.NICS)


def test_the_page_lists_exactly_the_checks() -> None:
    rows = re.findall(r"^\| `([a-z0-9]+\.[a-z_]+)` \| ([^|]+) \|$", PAGE, re.MULTILINE)
    looks = [check.looks for check in host.CHECKS] + [look for look, _ in frames.CHECKS.values()]
    assert rows == list(zip(IDS, [*looks, answer.LOOKS], strict=True))


def test_a_service_that_takes_the_link_is_ok() -> None:
    with Receiver() as service:
        assert answer.ask(service.endpoint, link="l1", nic="intel5300").status == "ok"
        assert service.hellos[0].link == "l1"
        service.refusing = "other_room"
        refused = answer.ask(service.endpoint, link="l1", nic="intel5300")
        assert (refused.status, refused.do) == ("failed", "said the test")
        service.refusing = "unknown_link"
        assert answer.ask(service.endpoint, link=None, nic="intel5300").status == "ok"
        assert not service.accepted


def test_no_service_and_no_endpoint() -> None:
    silent = answer.ask(f"tcp://127.0.0.1:{free_port()}", link=None, nic="intel5300", timeout_s=0.3)
    assert silent.status == "failed"
    assert answer.ask("nonsense", link=None, nic="intel5300").status == "failed"
    assert answer.ask(None, link=None, nic="intel5300").status == "not_applicable"


def test_a_service_that_wants_keys_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOMTONE_CURVE", raising=False)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as service:
        service.linger = 0
        service.curve_publickey, service.curve_secretkey = zmq.curve_keypair()
        service.curve_server = True
        port = service.bind_to_random_port("tcp://127.0.0.1")
        refused = answer.ask(f"tcp://127.0.0.1:{port}", link=None, nic="intel5300", timeout_s=20)
    assert refused.status == "failed"
    assert "CURVE" in refused.found
    assert "links enroll" in refused.do


def run(*words: str, **how: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOMTONE, "doctor", *words], capture_output=True, text=True, timeout=60, check=False, **how
    )


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    found = healthy(tmp_path / "root")
    yield found
    found.close()


def report(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    assert [check["id"] for check in found["checks"]] == IDS
    assert found["failed"] == sum(check["status"] == "failed" for check in found["checks"])
    assert done.returncode == bool(found["failed"])
    return found | {check["id"]: check for check in found["checks"]}


def test_a_good_capture_is_exit_code_0(tmp_path: Path) -> None:
    file = tmp_path / "good.dat"
    file.write_bytes(capture())
    found = report(run("--capture", str(file), "--json"))
    assert (found["failed"], found["nics"]) == (0, ["intel5300"])
    assert found["intel5300.card"]["status"] == found["host.clock"]["status"] == "not_applicable"


@pytest.mark.parametrize("data", [b"", b"import pandas as pd\n" * 40])
def test_a_capture_of_nothing_is_a_finding(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bad.dat"
    file.write_bytes(data)
    found = report(run("--capture", str(file), "--json"))
    assert found["frames.source"]["status"] == "failed"
    assert (found["frames.rate"]["status"], found["nics"]) == ("unknown", [])
    named = report(run("--capture", str(file), "--nic", "intel5300", "--json"))
    assert named["frames.records" if data else "frames.bytes"]["status"] == "failed"


def test_a_capture_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    found = report(run("--capture", str(tmp_path / "none.dat"), "--json"))
    assert "No such file" in found["frames.source"]["found"]


def test_the_host_is_looked_at_below_the_root(tree: Tree) -> None:
    tree.put("/sys/module/iwlwifi/parameters/connector_log", "0")
    done = run("--root", str(tree.root), "--nic", "intel5300")
    assert done.returncode == 1
    assert re.search(r"failed +intel5300\.connector_log +connector_log = 0x0: nothing", done.stdout)
    assert "modprobe iwlwifi connector_log=0x1" in " ".join(done.stdout.split())
    assert report(run("--root", str(tree.root), "--json"))["nics"] == list(host.NICS)


def test_standard_input_is_listened_to() -> None:
    words = ["--nic", "intel5300", "--source", "-", "--for", "20", "--json"]
    done = subprocess.run(
        [ROOMTONE, "doctor", *words], input=capture(), capture_output=True, timeout=60, check=False
    )
    found = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["frames.csi"]["found"] == "200 frames"
    assert found["frames.lost"]["status"] == "ok"
    assert b"listening to standard input" in done.stderr


def test_datagrams_are_listened_to() -> None:
    port, stop = free_port(), threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while not stop.is_set():
                for record in records(40):
                    sock.sendto(record[2:], ("127.0.0.1", port))
                stop.wait(0.05)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        found = report(run("--nic", "intel5300", "--source", f"udp:127.0.0.1:{port}", "--for", "1", "--json"))
    finally:
        stop.set()
        sender.join(10)
    assert found["frames.csi"]["status"] == "ok"


def test_a_source_that_does_not_open_is_a_finding() -> None:
    found = report(run("--nic", "intel5300", "--source", "dev:/no/such/device", "--json"))
    assert found["frames.source"]["status"] == "failed"
    assert "/no/such/device" in found["frames.source"]["found"]


def test_a_source_needs_one_card_and_no_capture(tmp_path: Path) -> None:
    assert run("--source", "-", "--root", str(tmp_path)).returncode == 2
    assert run("--source", "-", "--capture", "x.dat").returncode == 2
