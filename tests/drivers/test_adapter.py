"""The adapter as a process of its own, and what it does when the service, the card or the network fails."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers import intel5300
from drivers.adapter import Adapter
from tests.drivers.intel import make_block, other, records
from tests.drivers.receiver import Receiver, wait_for
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "deploy" / "adapter-requirements.txt"
ONLY_WHAT_AN_ADAPTER_HOST_HAS = """
import sys, runpy, pkgutil, importlib
allowed = {*sys.stdlib_module_names, "drivers", *sys.argv.pop(1).split(",")}
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"an adapter host has no {name}", name=name)
sys.meta_path.insert(0, Guard())
if sys.argv[1:] == ["every module"]:
    import drivers
    for module in pkgutil.walk_packages(drivers.__path__, "drivers."):
        importlib.import_module(module.name)
        print(module.name)
else:
    runpy.run_module("drivers", run_name="__main__", alter_sys=True)
"""


def allowed() -> str:
    """Import names of deploy/adapter-requirements.txt."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    names = [re.split(r"[<>=!~ \[;]", line)[0] for line in lines if line]
    assert sorted(names) == ["msgspec", "numpy", "pyzmq"]
    return ",".join({"pyzmq": "zmq"}.get(name, name) for name in names)


def guarded(*words: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", ONLY_WHAT_AN_ADAPTER_HOST_HAS, allowed(), *map(str, words)]
    return subprocess.run(command, input=data, capture_output=True, timeout=100, check=False, cwd=ROOT)


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """An adapter in a thread.

    Attributes:
        said: its lines. error: what it ended with.
    """

    def __init__(self, source: str, to: str, **more: Any) -> None:
        self.said: list[str] = []
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._work = Adapter(nic="intel5300", source=source, link="l1", to=to, **more)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work.run(self.said.append, self._stop.is_set)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def says(self, words: str) -> bool:
        return any(words in line for line in self.said)


@contextmanager
def running(source: str, to: str, **more: Any) -> Iterator[Running]:
    adapter = Running(source, to, **more)
    try:
        yield adapter
    finally:
        adapter.stop()


def send(port: int, datagrams: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        for datagram in datagrams:
            card.sendto(datagram, ("127.0.0.1", port))


def test_it_runs_from_the_adapters_requirements_alone() -> None:
    assert b"--source" in guarded("--help").stdout
    with Receiver(window=64) as receiver:
        words = ["--nic", "intel5300", "--source", "-", "--link", "l1", "--to", receiver.endpoint]
        done = guarded(*words, data=intel5300.encode(make_block(150)))
        assert done.returncode == 0, done.stderr
        assert b"150 frames, 150 published, 150 processed, 0 dropped" in done.stderr
        assert receiver.frames == 150


def test_every_module_of_the_drivers_does() -> None:
    done = guarded("every module")
    assert done.returncode == 0, done.stderr
    assert b"drivers.live.netlink" in done.stdout
    assert b"drivers.intel5300" in done.stdout


def test_the_guard_of_these_tests_holds() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            [
                sys.executable,
                "-c",
                ONLY_WHAT_AN_ADAPTER_HOST_HAS.replace('"drivers", run', '"typer", run'),
                "numpy",
            ],
            check=True,
            capture_output=True,
        )


def test_usage_and_failure_have_their_exit_codes() -> None:
    assert guarded("--nic", "intel5300").returncode == 2
    to = f"tcp://127.0.0.1:{free_port()}"
    words = ["--nic", "intel5300", "--link", "l1", "--to", to, "--source"]
    failed = guarded(*words, "tcp:1")
    assert failed.returncode == 1
    assert b"netlink[:IDX]" in failed.stderr
    alone = guarded(*words, "-", data=b"".join(records(30)))
    assert alone.returncode == 1
    assert f"no service answered at {to}: 30 frames were dropped".encode() in alone.stderr


def test_the_end_names_the_refusal_and_not_silence() -> None:
    with Receiver() as receiver:
        receiver.refusing = "unknown_link"
        words = ["--nic", "intel5300", "--link", "l1", "--to", receiver.endpoint, "--source", "-"]
        refused = guarded(*words, data=b"".join(records(30)))
    assert refused.returncode == 1
    last = refused.stderr.decode().strip().splitlines()[-1]
    assert "refuses link l1: 30 frames were dropped; unknown_link" in last


def test_a_signal_ends_it_cleanly() -> None:
    with Receiver() as receiver:
        port = udp_port()
        words = ["--nic", "intel5300", "--link", "l1", "--source", f"udp:127.0.0.1:{port}"]
        adapter = subprocess.Popen(
            [sys.executable, "-m", "drivers", *words, "--to", receiver.endpoint], stderr=subprocess.PIPE
        )
        wait_for(lambda: receiver.hellos, "the adapter's greeting")
        wait_for(lambda: send(port, records(1)) or receiver.frames, "a frame")
        adapter.send_signal(signal.SIGTERM)
        _, said = adapter.communicate(timeout=30)
    assert adapter.returncode == 0, said
    assert b"published" in said


def test_a_service_that_comes_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.adapter.PATIENCE_S", 0.2)
    port, to = udp_port(), f"tcp://127.0.0.1:{free_port()}"
    with running(f"udp:127.0.0.1:{port}", to) as adapter:
        wait_for(lambda: adapter.says("does not answer yet"), "the message")
        wait_for(lambda: send(port, records(40)) or adapter._work is not None, "the flood")
        with Receiver(to) as receiver:
            wait_for(lambda: send(port, records(1)) or receiver.frames, "frames at the late service")
            assert adapter.says(f"{to} answers")
            assert receiver.hellos[-1].dropped >= 0
            adapter.stop()
            assert receiver.hellos[-1].dropped > 0, "what came before it is counted"
    assert adapter.error is None


def test_what_the_transport_loses_reaches_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flooded until the kernel really drops; the service is told how many."""
    monkeypatch.setattr("drivers.live.udp.WANTED_BYTES", 4096)
    port, to, sent = udp_port(), f"tcp://127.0.0.1:{free_port()}", 0

    def flooded() -> bool:
        nonlocal sent
        send(port, records(200))
        sent += 200
        return any(hello.lost_at_source for hello in receiver.hellos)

    def came() -> int:
        last = receiver.hellos[-1]
        return receiver.frames + last.dropped + sum(last.lost_at_source.values())

    with running(f"udp:127.0.0.1:{port}", to) as adapter, Receiver(to, window=64) as receiver:
        wait_for(lambda: adapter.said, "the source to be open")
        wait_for(flooded, "the kernel to drop")
        wait_for(lambda: came() == sent, "every datagram to be accounted for")
        adapter.stop()
        lost = receiver.hellos[-1].lost_at_source["socket_overflow"]
        assert came() == sent
        assert lost > 0
        assert not receiver.hellos[-1].unauthenticated
    assert adapter.says(f"lost by the transport: {lost} socket_overflow")


def test_frames_of_an_open_port_are_marked() -> None:
    port = udp_port()
    with Receiver() as receiver:
        with running(f"udp:0.0.0.0:{port}", receiver.endpoint, allow=["127.0.0.0/8"]) as adapter:
            wait_for(lambda: send(port, records(1)) or receiver.frames, "a frame")
            adapter.stop()
        assert receiver.hellos[-1].unauthenticated
        assert adapter.says("unauthenticated")


@pytest.mark.parametrize(
    ("count", "says"),
    [(0, "nothing has come from UDP"), (6, "6 reads so far; rejected: none; not CSI: ")],
)
def test_silence_is_explained(monkeypatch: pytest.MonkeyPatch, count: int, says: str) -> None:
    monkeypatch.setattr("drivers.watch.SILENCE_S", 0.5)
    port = udp_port()
    with Receiver() as receiver, running(f"udp:127.0.0.1:{port}", receiver.endpoint) as adapter:
        wait_for(lambda: adapter.said, "the source to be open")
        send(port, [other(0xC1, 100)] * count)
        wait_for(lambda: adapter.says("no frame for"), "the reasons")
    assert adapter.says(says)
    assert adapter.says("roomtone doctor --nic intel5300")


def test_a_refusal_is_told_and_outlived() -> None:
    port = udp_port()
    with Receiver() as receiver:
        receiver.refusing = "unknown_link"
        with running(f"udp:127.0.0.1:{port}", receiver.endpoint) as adapter:
            wait_for(lambda: adapter.says("refuses the frames: unknown_link"), "the refusal")
            receiver.refusing = None
            wait_for(lambda: send(port, records(1)) or receiver.frames, "frames after all")
    assert adapter.error is None
