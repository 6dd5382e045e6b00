"""docs/integrations/python.md and the client's README, run as they stand against a real API."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.adaptation.states import JobState
from service.store.jobs import list_jobs, step
from tests.service.running import Running, wait_for
from tests.service.test_samples import capture

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "deploy" / "client-python"
STATES, ALERTS, TEACH, ASYNC = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "integrations" / "python.md").read_text(), re.DOTALL
)
README = re.findall(r"```python\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("examples")) as running:
        running.put_room("lab", tasks=["presence", "counting"])
        yield running


def start(api: Running, program: str, folder: Path) -> "subprocess.Popen[str]":
    told = {"ROOMTONE_URL": api.base, "ROOMTONE_KEY": api.key, "PYTHONPATH": str(CLIENT)}
    words = [sys.executable, "-c", program]
    return subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, **told},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return told


def test_states_and_asyncio(api: Running, tmp_path: Path) -> None:
    api.put_state("lab", "presence", "occupied", received_ns=1)
    readme = README[0].replace("http://127.0.0.1:8000", api.base).replace("rt_…", api.key)
    programs = [start(api, program, tmp_path) for program in (STATES, readme, ASYNC)]
    states, again, told = (ended(one) for one in programs)
    assert "lab presence unknown worker_down" in states
    assert "lab presence unknown: worker_down" in again
    assert re.search(r"room-not-found \S+\nrooms: \['lab'\]", told)


def test_alerts_go_on_where_the_program_was_stopped(api: Running, tmp_path: Path) -> None:
    place = tmp_path / "last-event"

    def reached(number: int) -> None:
        wait_for(lambda: place.exists() and place.read_text() == str(number), "the program to come so far")

    first = api.append(alert_id="a")
    program = start(api, ALERTS, tmp_path)
    reached(first)
    reached_first = api.append(alert_id="b")
    reached(reached_first)
    program.kill()
    told = program.communicate(timeout=20)[0]
    assert told.splitlines() == ["open now: [] ", "org.roomtone.alert.raised lab info"]
    missed = api.append(alert_id="c")
    again = start(api, ALERTS, tmp_path)
    reached(missed)
    again.kill()
    assert again.communicate(timeout=20)[0].splitlines() == ["org.roomtone.alert.raised lab info"]


def test_a_room_is_taught(api: Running, tmp_path: Path) -> None:
    (tmp_path / "empty.dat").write_bytes(capture(30, 0))
    (tmp_path / "one.dat").write_bytes(capture(30, 1))
    over = threading.Event()

    def refuse() -> None:
        """What a trainer does where too little was shown."""
        (job,) = wait_for(lambda: list_jobs(api.store, kind="adaptation"), "the job")
        with api.store.write() as connection:
            step(connection, job.job, JobState.RUNNING, {"progress": 0.5})
            step(connection, job.job, JobState.REFUSED, {"reason": "insufficient_evidence"})
        over.set()

    threading.Thread(target=refuse, daemon=True).start()
    told = ended(start(api, TEACH, tmp_path))
    assert over.is_set()
    assert "1 accepted []" in told
    assert told.splitlines()[-1] == "refused insufficient_evidence"
