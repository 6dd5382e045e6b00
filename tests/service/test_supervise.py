"""The supervisor with small real processes: restarts, stuck parts, back-off, dying together."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from service.bus.memory import MemoryHub, MemorySignals
from service.cli.welcome import FIRST_KEY
from service.pipe import PIPE_VARIABLE
from service.supervise import Part, PartError, Supervisor
from tests.ports import free_port

ROOMTONE = Path(sys.executable).with_name("roomtone")


def eventually(look: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def lives(tmp_path: Path) -> Callable[[], list[int]]:
    """Processes that were started so far, by the notes that the fake command line takes."""
    return lambda: [int(line) for line in (tmp_path / "lives").read_text().split()]


@pytest.fixture
def parts_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """Makes `python -m service.cli` mean this code, in a process of its own."""

    def make(code: str) -> dict[str, str]:
        package = tmp_path / "service" / "cli"
        package.mkdir(parents=True)
        (tmp_path / "service" / "__init__.py").touch()
        (package / "__init__.py").touch()
        note = f"import os; open({str(tmp_path / 'lives')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        (package / "__main__.py").write_text(note + textwrap.dedent(code))
        (tmp_path / "lives").touch()
        monkeypatch.chdir(tmp_path)
        return {**os.environ, "PYTHONPATH": str(tmp_path)}

    return make


class Stage:
    """A supervisor run turn by turn, told when to stop."""

    def __init__(self, parts: list[Part], environment: dict[str, str]) -> None:
        hub = MemoryHub()
        self.worker = MemorySignals(hub, "worker", [])
        self.supervisor = Supervisor(parts, MemorySignals(hub, "run", ["worker"]), environment)

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 40

        def stop() -> bool:
            assert time.monotonic() < deadline, "waited in vain"
            return done()

        self.supervisor.run(stop)

    def beat(self, pid: int) -> None:
        self.worker.publish("heartbeat", {"part": "worker", "pid": pid})


WORKER = Part("worker", ["worker"])


def test_a_dead_part_is_started_again_and_all_stop_with_us(
    parts_are: Callable[[str], dict[str, str]], lives: Callable[[], list[int]]
) -> None:
    stage = Stage([WORKER], parts_are("import time; time.sleep(600)"))
    killed: list[int] = []

    def done() -> bool:
        if lives() and not killed:
            killed.append(lives()[0])
            os.kill(killed[0], signal.SIGKILL)
        return len(lives()) == 2

    stage.until(done)
    assert stage.supervisor.restarts == {"worker": 1}
    assert not any(psutil.pid_exists(pid) for pid in lives())


def test_a_part_that_stops_beating_is_killed_and_started_again(
    parts_are: Callable[[str], dict[str, str]],
    lives: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.supervise.STUCK_AFTER_S", 0.3)
    stage = Stage([WORKER], parts_are("import time; time.sleep(600)"))

    def done() -> bool:
        if len(lives()) == 1:
            stage.beat(lives()[0])
            monkeypatch.setattr(stage, "beat", lambda _: None)
        return len(lives()) == 2

    stage.until(done)
    assert not psutil.pid_exists(lives()[0])


def test_heartbeats_of_a_life_before_do_not_count(
    parts_are: Callable[[str], dict[str, str]], lives: Callable[[], list[int]]
) -> None:
    stage = Stage([WORKER], parts_are("import time; time.sleep(600)"))
    heard: list[str] = []
    stage.supervisor._on_beat = heard.append
    told: list[int] = []

    def done() -> bool:
        if lives() and not told:
            stage.beat(-1)
            told.append(1)
        elif told and not heard:
            stage.beat(lives()[0])
        return bool(heard)

    stage.until(done)
    assert heard == ["worker"]


def test_a_part_that_cannot_start_ends_everything_with_its_name(
    parts_are: Callable[[str], dict[str, str]], lives: Callable[[], list[int]]
) -> None:
    stage = Stage([WORKER], parts_are("raise SystemExit(1)"))
    with pytest.raises(PartError, match="worker could not start"):
        stage.until(lambda: False)
    assert len(lives()) == 1


def test_waits_between_restarts_grow_and_are_capped(
    parts_are: Callable[[str], dict[str, str]],
    lives: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.supervise._BACK_OFF_S", (0.0, 0.01, 0.02))
    stage = Stage([Part("demo", ["demo"], beats=False)], parts_are("import os; os.abort()"))
    running = stage.supervisor._running["demo"]
    waits: list[float] = []

    def done() -> bool:
        if running.process is None and len(waits) < running.restarts:
            waits.append(round(running.start_at_s - time.monotonic(), 1))
        return running.restarts == 5

    stage.until(done)
    assert running.failures == 5
    assert len(lives()) == 5


def test_a_part_with_an_end_is_not_started_again(
    parts_are: Callable[[str], dict[str, str]], lives: Callable[[], list[int]]
) -> None:
    stage = Stage([Part("replay", ["replay"], beats=False, once=True)], parts_are("raise SystemExit(1)"))
    stage.until(lambda: stage.supervisor._running["replay"].finished)
    assert len(lives()) == 1


def test_a_part_that_does_not_listen_is_killed_in_the_end(
    parts_are: Callable[[str], dict[str, str]],
    lives: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("service.supervise.STOP_WITHIN_S", 0.2)
    deaf = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("deaf", "w").close()
    time.sleep(600)
    """
    stage = Stage([WORKER], parts_are(deaf))
    stage.until((tmp_path / "deaf").exists)
    assert not psutil.pid_exists(lives()[0])


def test_a_command_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    environment = {
        **os.environ,
        PIPE_VARIABLE: str(read_end),
        "ROOMTONE_DATA_DIR": str(tmp_path),
        "ROOMTONE_INGEST__ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "service.cli", "worker"],
        env=environment,
        pass_fds=[read_end],
        stderr=subprocess.DEVNULL,
    ) as worker:
        os.close(read_end)
        eventually((tmp_path / "roomtone.sqlite3").exists)
        assert worker.poll() is None
        os.close(write_end)
        assert worker.wait(40) == 0


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    return clean | {
        "ROOMTONE_DATA_DIR": str(tmp_path / "data"),
        "ROOMTONE_INGEST__ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
        "ROOMTONE_SERVER__PORT": str(free_port()),
    }


@pytest.fixture
def running(site: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([ROOMTONE, "run", "--no-demo"], env=site, stdout=out, stderr=log)
        family = psutil.Process(process.pid)
        eventually(lambda: b"login?token=" in (tmp_path / "out").read_bytes() or process.poll() is not None)
        everybody = family.children(recursive=True) if process.poll() is None else []
        yield process
        if process.poll() is None:
            process.kill()
            process.wait()
    _gone, alive = psutil.wait_procs(everybody, timeout=40)
    assert alive == []


def test_run_prints_login_once_keeps_key_and_login_out_of_the_log_and_stops_clean(
    running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    out, log = (tmp_path / "out").read_text(), (tmp_path / "log").read_text()
    assert running.poll() is None, log
    key = (tmp_path / "data" / FIRST_KEY).read_text().strip()
    token = out.partition("login?token=")[2].strip()
    assert key.startswith("rt_")
    assert token
    assert key not in out + log
    assert token not in log
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    log = (tmp_path / "log").read_text()
    assert "part_killed" not in log
    assert "worker_stopped" in log
    assert "Traceback" not in log
    for line in log.splitlines():
        json.loads(line)


def test_what_is_taken_is_one_clear_error_and_parts_die_with_a_killed_supervisor(
    running: "subprocess.Popen[bytes]", site: dict[str, str]
) -> None:
    other = {**site, "ROOMTONE_INGEST__ENDPOINT": f"tcp://127.0.0.1:{free_port()}"}
    second = subprocess.run(
        [ROOMTONE, "run"], env=other, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert site["ROOMTONE_SERVER__PORT"] in second.stderr
    assert "--port" in second.stderr
    assert "Traceback" not in second.stderr
    other = {**site, "ROOMTONE_SERVER__PORT": str(free_port())}
    third = subprocess.run(
        [ROOMTONE, "run"], env=other, capture_output=True, text=True, timeout=60, check=False
    )
    assert third.returncode == 1
    assert site["ROOMTONE_INGEST__ENDPOINT"] in third.stderr
    other["ROOMTONE_INGEST__ENDPOINT"] = f"tcp://127.0.0.1:{free_port()}"
    fourth = subprocess.run(
        [ROOMTONE, "run"], env=other, capture_output=True, text=True, timeout=60, check=False
    )
    assert fourth.returncode == 1, "another service of the same data folder"
    assert "runs already" in fourth.stderr
    assert len(psutil.Process(running.pid).children(recursive=True)) == 4
    running.kill()
    running.wait()  # the fixture waits for the parts to be gone


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--host", "192.0.2.1"], "--tls-cert"),
        (["--config", "nowhere.toml"], "nowhere.toml: does not exist"),
        (["--capture", "nowhere.dat"], "nowhere.dat"),
        (["--tls-cert", "c.pem"], "TLS needs both"),
    ],
)
def test_run_refuses_what_cannot_work(site: dict[str, str], flags: list[str], says: str) -> None:
    refused = subprocess.run(
        [ROOMTONE, "run", *flags], env=site, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    assert says in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
