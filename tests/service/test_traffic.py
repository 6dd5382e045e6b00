"""Steady packets over real sockets on loopback, and what they would take of the air."""

import json
import re
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers import traffic as module
from drivers.airtime import ACK_BYTES, frame_us, is_legacy, share
from drivers.errors import SourceError
from drivers.traffic import Sent, Traffic, checksum
from tests.e2e.site import ROOMTONE


class Echo:
    """Answers UDP datagrams on loopback, but for those it is told to leave out."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.answer: Callable[[int], bool] = lambda number: True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            if select.select([self._socket], [], [], 0.02)[0]:
                data, peer = self._socket.recvfrom(65536)
                self.heard.append(data)
                if self.answer(len(self.heard)):
                    self._socket.sendto(data, peer)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


def test_every_packet_goes_and_every_answer_is_counted(echo: Echo) -> None:
    told: list[int] = []
    with Traffic("127.0.0.1", size=200, method="udp", port=echo.port) as sender:
        result = sender.run(500, 0.4, lambda so_far: told.append(so_far.sent))
    assert result.sent + result.missed == 200
    assert result.answered == len(result.round_trip_s) == result.sent == len(echo.heard)
    assert {len(data) for data in echo.heard} == {200}
    assert len(set(echo.heard)) == result.sent
    assert sender.ip_bytes == 228


def test_lost_answers_are_missing(echo: Echo) -> None:
    echo.answer = lambda number: number % 4 != 0
    with Traffic("127.0.0.1", method="udp", port=echo.port) as sender:
        result = sender.run(400, 0.2, lambda so_far: None)
    assert result.answered == result.sent - result.sent // 4


def test_strange_and_repeated_answers_count_for_nothing(echo: Echo) -> None:
    with Traffic("127.0.0.1", method="udp", port=echo.port) as sender:
        peer = sender._socket.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(bytes(64), peer)
        for _ in range(3):
            echo._socket.sendto(b"short", peer)
            echo._socket.sendto(bytes(64), peer)
        result = sender.run(200, 0.1, lambda so_far: None)
    assert result.answered == result.sent


class Clock:
    """A clock that stands still but for waiting, and jumps when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def select(self, read: Any, write: Any, odd: Any, wait: float) -> tuple[list[Any], list[Any], list[Any]]:
        self.now += wait
        return [], [], []


def test_the_schedule_is_absolute_and_missed_slots_are_not_made_up_for(
    monkeypatch: pytest.MonkeyPatch, echo: Echo
) -> None:
    clock, went = Clock(), []
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "select", clock)
    with Traffic("127.0.0.1", method="udp", port=echo.port) as sender:
        send = sender._send

        def slow(number: int, late: float) -> None:
            went.append((number, round(clock.now - 1000.0, 6)))
            send(number, late)
            clock.now += 0.055 if number == 3 else 0.004  # each packet takes time; one takes five slots

        monkeypatch.setattr(sender, "_send", slow)
        result = sender.run(100, 0.2, lambda so_far: None)
    assert went[:4] == [(0, 0.0), (1, 0.01), (2, 0.02), (3, 0.03)]
    assert went[4:6] == [
        (8, 0.085),
        (9, 0.09),
    ]  # late by half a slot, then on time again; 4 to 7 are left out
    assert (result.sent, result.missed, went[-1]) == (16, 4, (19, 0.19))


def test_a_port_that_nobody_takes_is_told_by_the_kernel() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    with Traffic("127.0.0.1", method="udp", port=port) as sender:
        result = sender.run(200, 0.1, lambda so_far: None)
    assert result.unreachable > 0
    assert result.answered == 0


@pytest.mark.parametrize("method", ["ping", "raw"])
def test_icmp_is_answered(method: module.Method) -> None:
    try:
        sender = Traffic("127.0.0.1", method=method)
    except SourceError as error:
        pytest.skip(f"not allowed here: {error}")
    with sender:
        result = sender.run(200, 0.2, lambda so_far: None)
    assert result.answered == result.sent > 0


def test_auto_takes_what_is_allowed(monkeypatch: pytest.MonkeyPatch, echo: Echo) -> None:
    real = socket.socket

    def no_icmp(family: int, kind: int, protocol: int = 0) -> socket.socket:
        if protocol == socket.IPPROTO_ICMP:
            raise PermissionError(1, "Operation not permitted")
        return real(family, kind, protocol)

    monkeypatch.setattr(socket, "socket", no_icmp)
    with Traffic("127.0.0.1", port=echo.port) as sender:
        assert sender.method == "udp"
    with pytest.raises(SourceError, match="CAP_NET_RAW"):
        Traffic("127.0.0.1", method="raw")


def test_an_unknown_name_and_too_few_bytes_are_errors() -> None:
    with pytest.raises(SourceError, match="no-such-host"):
        Traffic("no-such-host.invalid", method="udp")
    with pytest.raises(SourceError, match="at least 8"):
        Traffic("127.0.0.1", size=4)


def test_checksum_of_rfc_1071() -> None:
    assert checksum(bytes([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])) == 0x220D
    assert checksum(b"\x01") == 0xFEFF


def test_airtime_is_that_of_the_standard() -> None:
    ack = {6: 44, 12: 32, 24: 28}  # us, the figures every 802.11a/g paper has
    assert frame_us(1462, 54) == 20 + 4 * 56 + 16 + ack[24]  # 12,022 bits in symbols of 216
    assert frame_us(92, 6.5) == 36 + 4 * 41 + 16 + ack[6]  # 1,062 bits in symbols of 26
    assert frame_us(92, 130) == 40 + 4 * 3 + 16 + ack[24]  # two streams: 1,062 bits in symbols of 520
    assert frame_us(62, 1) == 192 + 800 + 10 + 192 + 8 * ACK_BYTES
    assert share(92, 100, 6.5, transmissions=2) == pytest.approx(100 * 2 * 260e-6)
    assert is_legacy(54)
    assert not is_legacy(65)


def test_rate_of_nothing_is_nothing() -> None:
    assert Sent().rate_hz == 0
    assert Sent(sent=101, seconds=2).rate_hz == 50


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOMTONE, "traffic", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_reports_in_json(echo: Echo) -> None:
    words = [
        "--to",
        "127.0.0.1",
        "--method",
        "udp",
        "--port",
        str(echo.port),
        "--rate",
        "100",
        "--for",
        "1.2s",
    ]
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["sent"] + report["missed"] == 120
    assert (report["answered"], report["loss_share"]) == (report["sent"], 0)
    assert report["achieved_hz"] > 0
    assert set(report["jitter_ms"]) == {"p50", "p99", "max"}
    assert 0 < report["airtime_share"] < 0.05
    assert re.search(r"\b\d+ sent", done.stderr)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "2500", "--phy-rate", "65"], "more than any card measures"),
        (["--rate", "1000", "--phy-rate", "6.5"], "of the air"),
        (["--rate", "100", "--size", "1400", "--phy-rate", "1"], "of the air"),
    ],
)
def test_silly_rates_are_refused_unless_forced(words: list[str], said: str, echo: Echo) -> None:
    common = ["--to", "127.0.0.1", "--method", "udp", "--port", str(echo.port), "--for", "0.1s"]
    refused = run(*common, *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in " ".join(refused.stderr.replace("│", " ").split())
    assert not echo.heard
    assert run(*common, *words, "--force").returncode == 0
    assert echo.heard


def test_a_bad_duration_is_an_error() -> None:
    done = run("--to", "127.0.0.1", "--method", "udp", "--for", "soon")
    assert done.returncode == 2
    assert "no duration" in done.stderr
