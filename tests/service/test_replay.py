"""`roomtone replay` against a worker on a real socket, and its clear errors."""

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from drivers.errors import DeliveryError, OptionError, SourceError, UnknownFormatError
from drivers.registry import load
from drivers.sender import Sender
from drivers.wire import Source
from service.bus.memory import MemoryHub, MemorySignals
from service.bus.registry import open_ingest
from service.cli.errors import CommandError
from service.cli.replay import app
from service.settings import IngestSettings, Settings
from service.store.engine import Store, open_store
from service.store.links import get_link
from service.store.schema import predictions
from service.worker.loop import Worker
from tests.drivers.samples import SAMPLES
from tests.ports import free_port
from tests.service.frames import FakeSensing, frames

CLOCK_US = 1_000_000


class Site:
    """A worker in a thread, on a real endpoint and store."""

    def __init__(self, folder: Path, *, auto_rooms: bool) -> None:
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.store: Store = open_store(f"sqlite:///{folder / 'store.sqlite3'}")
        self._settings = Settings(
            data_dir=folder, ingest=IngestSettings(endpoint=self.endpoint, auto_rooms=auto_rooms)
        )
        self._stop = threading.Event()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self._up.wait(30)

    def _work(self) -> None:
        with open_ingest(self.endpoint) as ingest, MemorySignals(MemoryHub(), "worker", []) as signals:
            worker = Worker(self._settings, self.store, ingest=ingest, signals=signals, sensing=FakeSensing())
            worker.start()
            self._up.set()
            worker.run(self._stop.is_set)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self.store.close()

    def values(self, room: str) -> list[Any]:
        query = sa.select(predictions.c.doc).where(
            predictions.c.room == room, predictions.c.task == "presence"
        )
        with self.store.read() as connection:
            return [doc["value"] for doc in connection.execute(query.order_by(predictions.c.to_ns)).scalars()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    running = Site(tmp_path, auto_rooms=True)
    yield running
    running.close()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Twelve seconds of somebody, as an Intel 5300 writes it; its counter skips ten."""
    block = frames(0, 12, people=1)
    block.table["capture_ns"] -= block.table["capture_ns"][0] - CLOCK_US * 1000
    block.table["sequence"][300:] += 10
    path = tmp_path / "walk.dat"
    path.write_bytes(load("intel5300").encode(block))
    return path


def replay(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


def test_it_returns_when_all_is_processed_and_tells_what_there_was(site: Site, capture: Path) -> None:
    done = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint, "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)["files"]
    assert (told["frames"], told["published"], told["processed"]) == (600, 600, 600)
    assert (told["rejected"], told["gaps"], told["nic"]) == ({}, 10, "intel5300")
    assert told["capture_s"] == pytest.approx(11.98, abs=0.01)
    assert site.values("b")[-8:] == ["occupied"] * 8


def test_several_captures_follow_each_other_on_the_links_time_axis(site: Site, capture: Path) -> None:
    packed = capture.with_suffix(".dat.gz")
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    done = replay(capture, packed, "--link", "l1", "--room", "b", "--to", site.endpoint, "--json")
    first, second = json.loads(done.stdout)["files"]
    assert second["from_ns"] >= first["to_ns"] + 10_000_000_000
    assert second["processed"] == 600
    assert site.values("b").count("occupied") > 16


def test_a_part_of_a_capture(site: Site, capture: Path) -> None:
    done = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint, "--part", "2s-6s", "--json")
    (told,) = json.loads(done.stdout)["files"]
    assert told["published"] == told["processed"] == 200
    assert told["capture_s"] == pytest.approx(3.98, abs=0.01)


def test_paced_by_capture_time_it_processes_the_same(site: Site, capture: Path) -> None:
    done = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint, "--speed", "8", "--json")
    (told,) = json.loads(done.stdout)["files"]
    assert told["processed"] == 600
    assert told["seconds"] >= 11.98 / 8 * 0.9
    assert told["capture_s"] == pytest.approx(11.98, abs=0.01), "speed never changes capture time"


def test_people_get_a_line_a_file(site: Site, capture: Path) -> None:
    done = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint)
    assert "600 frames" in done.stdout
    assert "missed by the card: 10" in done.stdout
    assert str(capture) in done.stdout


def test_an_unknown_link_is_refused_with_advice(tmp_path: Path, capture: Path) -> None:
    closed = Site(tmp_path / "closed", auto_rooms=False)
    try:
        refused = replay(capture, "--link", "l1", "--room", "b", "--to", closed.endpoint)
    finally:
        closed.close()
    assert isinstance(refused.exception, DeliveryError)
    assert "unknown_link" in str(refused.exception)
    assert "/v1/links/l1" in str(refused.exception)


def test_a_link_whose_sender_broke_off_is_waited_for(site: Site, capture: Path) -> None:
    block = frames(0, 1)
    with Sender(site.endpoint, link="l1", room="b", nic="intel5300", source=Source.REPLAY) as broken:
        broken.connect()
        broken.send(block)
    done = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["files"][0]["processed"] == 600


def test_a_link_that_another_sender_keeps_is_refused(
    site: Site, capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cli.replay.BUSY_WAIT_S", 0.5)
    with Sender(site.endpoint, link="l1", room="b", nic="intel5300", source=Source.REPLAY) as other:
        other.connect()
        refused = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint)
    assert isinstance(refused.exception, DeliveryError)
    assert "link_busy" in str(refused.exception)


def test_a_part_that_holds_no_frame_is_an_error(site: Site, capture: Path) -> None:
    failed = replay(capture, "--link", "l1", "--room", "b", "--to", site.endpoint, "--part", "100s-200s")
    assert isinstance(failed.exception, CommandError)
    assert "none of its 600 frames is within 100s-200s" in str(failed.exception)


def test_a_transmitter_that_sent_nothing_is_an_error_that_says_so(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(SAMPLES["nexmon"].file(10))
    words = ("--link", "l1", "--room", "b", "--to", site.endpoint, "--tx", "02:00:00:00:00:09")
    failed = replay(tmp_path / "a.pcap", *words)
    assert isinstance(failed.exception, CommandError)
    assert "10 other_transmitter" in str(failed.exception)


@pytest.mark.parametrize("tx", ["zz", "02:00:00:00:00:09"])
def test_a_transmitter_that_makes_no_sense_never_reaches_the_service(
    site: Site, capture: Path, tx: str
) -> None:
    failed = replay(capture, "--link", "l9", "--room", "b", "--to", site.endpoint, "--tx", tx)
    assert isinstance(failed.exception, OptionError)
    assert get_link(site.store, "l9") is None


def test_nobody_there_is_an_error_that_names_the_endpoint(capture: Path) -> None:
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    failed = replay(capture, "--link", "l1", "--to", nowhere, "--wait", "0.3")
    assert isinstance(failed.exception, DeliveryError)
    assert nowhere in str(failed.exception)


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b"import os\n" * 99, "not a CSI capture")])
def test_what_is_no_capture_is_refused_before_anything_is_sent(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "notes.dat"
    path.write_bytes(content)
    failed = replay(path, "--link", "l1", "--room", "b", "--to", "tcp://127.0.0.1:1")
    assert isinstance(failed.exception, UnknownFormatError)
    assert says in str(failed.exception)
    assert "notes.dat" in str(failed.exception)


def test_a_missing_file_is_named() -> None:
    failed = replay("nowhere.dat", "--link", "l1", "--to", "tcp://127.0.0.1:1")
    assert isinstance(failed.exception, SourceError)
    assert "nowhere.dat" in str(failed.exception)


@pytest.mark.parametrize(
    "words", [["--speed", "0"], ["--speed", "fast"], ["--part", "9s-3s"], ["--part", "x"]]
)
def test_what_makes_no_sense_is_a_usage_error(capture: Path, words: list[str]) -> None:
    failed = replay(capture, "--link", "l1", *words)
    assert failed.exit_code == 2
    assert words[1] in failed.output


def test_the_captures_counter_is_spanned_whatever_the_order() -> None:
    from drivers.loss import RunningLoss

    block = frames(0, 2)
    block.table["sequence"][50:] += 3
    span = RunningLoss()
    for rows in (np.arange(50, 100), np.arange(50)):
        span.add(block.take(rows))
    assert span.loss().missing == 3
