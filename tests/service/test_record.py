"""`roomtone record`: to disk as it comes, labelled, resumable, readable whatever happens."""

import json
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from drivers import intel5300
from drivers.errors import SourceError
from drivers.registry import load
from drivers.stream import Stream
from service.cli import record as record_command
from service.cli.errors import CommandError
from service.cli.record import app
from service.recording.dataset import DatasetError, Entry, add_recording, read_dataset
from service.recording.labels import Label
from service.recording.notes import RecordingError
from service.recording.take import Take
from tests.drivers.intel import frames_in_order, records
from tests.drivers.receiver import wait_for
from tests.drivers.samples import SAMPLES

RECORDS = records(600)


class Card(threading.Thread):
    """Sends records over UDP, one every few milliseconds, until told to stop; the socket is free at first."""

    def __init__(self, datagrams: list[bytes] = RECORDS) -> None:
        super().__init__(daemon=True)
        self.datagrams = datagrams
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.source = f"udp:127.0.0.1:{self.port}"
        self.ending = threading.Event()
        self.sent = 0

    def run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
            while not self.ending.wait(0.002):
                card.sendto(self.datagrams[self.sent % len(self.datagrams)], ("127.0.0.1", self.port))
                self.sent += 1


@pytest.fixture
def card() -> Iterator[Card]:
    sending = Card()
    sending.start()
    yield sending
    sending.ending.set()
    sending.join()


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Stands in for SIGTERM: the test's own process keeps its handlers."""
    event = threading.Event()
    monkeypatch.setattr("service.cli.record.until_told", lambda: event.is_set)
    return event


def record(*words: object) -> Result:
    return CliRunner().invoke(app, ["--nic", "intel5300", *map(str, words)])


def started(*words: object, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "service.cli", "record", "--nic", "intel5300", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before)  # noqa: PLW1509


def parsed(path: Path) -> Stream:
    stream = Stream(intel5300)
    stream.feed(path.read_bytes())
    stream.finish()
    assert stream.account.total_bytes == path.stat().st_size
    return stream


def test_a_labelled_recording(card: Card, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    words = [
        "--label",
        "presence=vacant",
        "--label",
        "activity=sitting@0s-0.2s",
        "--for",
        "0.4s",
        "--session",
    ]
    words += ["monday", "--person", 'p"1', "--notes", "two\nlines ☂", "--licence", "CC-BY-4.0", "--json"]
    done = record("--source", card.source, *words, folder)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    path = Path(result["file"])
    stream = parsed(path)
    assert stream.frames == result["frames"] > 20
    assert not stream.account.rejected
    assert result["complete"]
    (entry,) = read_dataset(folder)
    assert entry["file"] == path.name
    assert path.name.startswith("presence-vacant-activity-sitting-")
    assert path.suffix == ".dat"
    assert entry["labels"] == {"presence": "vacant"}
    assert entry["interval"] == [{"task": "activity", "label": "sitting", "from_s": 0.0, "to_s": 0.2}]
    told = [entry[name] for name in ("nic", "domain", "session", "person", "notes", "licence", "frames")]
    assert told == ["intel5300", "lab", "monday", 'p"1', "two\nlines ☂", "CC-BY-4.0", stream.frames]
    assert 0.4 <= entry["seconds"] < 30
    assert abs(time.time() - entry["started"].timestamp()) < 60
    assert entry["day"] == entry["started"].astimezone().date()
    assert sorted(found.name for found in folder.iterdir()) == sorted(["dataset.toml", path.name])


def test_recordings_follow_each_other_and_peoples_words_stay(card: Card, tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").write_text("# our lab\nschema = 1\nsite = 'north'\n")
    for name in ("one", "two"):
        assert record("--source", card.source, "--for", "0.1s", "--name", name, tmp_path).exit_code == 0
    assert (tmp_path / "dataset.toml").read_text().startswith("# our lab\n")
    assert [entry["file"] for entry in read_dataset(tmp_path)] == ["one.dat", "two.dat"]
    again = record("--source", card.source, "--for", "0.1s", "--name", "one", tmp_path)
    assert isinstance(again.exception, RecordingError)
    assert "--resume" in str(again.exception)


def test_stopped_early_it_is_kept_and_goes_on(card: Card, tmp_path: Path, told: threading.Event) -> None:
    """Nothing twice, nothing lost between the runs' own bytes, the same label, and the length asked for."""
    timer = threading.Timer(0.3, told.set)
    timer.start()
    words = ["--source", card.source, "--name", "a"]
    first = record(*words, "--for", "1s", "--label", "presence=vacant", tmp_path)
    assert isinstance(first.exception, CommandError)
    assert "go on with --resume" in str(first.exception)
    before = (tmp_path / "a.dat.part").read_bytes()
    assert not (tmp_path / "dataset.toml").exists()
    told.clear()
    second = record(*words, "--resume", "--json", tmp_path)
    assert second.exit_code == 0, second.output
    result = json.loads(second.stdout)
    data = (tmp_path / "a.dat").read_bytes()
    assert data.startswith(before)
    assert result["resumed_behind"] == len(before) // len(RECORDS[0])
    assert result["frames"] == len(data) // len(RECORDS[0]) == parsed(tmp_path / "a.dat").frames
    (entry,) = read_dataset(tmp_path)
    assert entry["labels"] == {"presence": "vacant"}
    assert 1.0 <= entry["seconds"] < 30
    last = record(*words, "--resume", tmp_path)
    assert "complete already" in str(last.exception)


@pytest.mark.parametrize("name", ["atheros", "esp32", "nexmon"])
def test_every_cards_file_goes_on_behind_its_last_whole_record(
    name: str, tmp_path: Path, told: threading.Event
) -> None:
    """Formats that begin with a header have it once, however often the recording was resumed."""
    nic, sample = load(name), SAMPLES[name]
    block = sample.block(300)
    records = [nic.encode(block.take(slice(row, row + 1))) for row in range(300)]
    card = Card([sample.datagram(record) for record in records])
    card.start()
    words = ["--nic", name, "--source", card.source, "--name", "a", "--json", str(tmp_path)]
    for run in range(3):
        told.clear()
        threading.Timer(0.2, told.set).start()
        done = CliRunner().invoke(app, [*words, "--for", "90s", *(["--resume"] if run else [])])
        (part,) = tmp_path.glob("a.*.part")
        assert json.loads(done.stdout)["error"].endswith("go on with --resume"), done.output
        with part.open("ab") as file:
            file.write(records[0][: len(records[0]) // 2])
    done = CliRunner().invoke(app, [*words, "--resume", "--for", "0.1s"])
    card.ending.set()
    result = json.loads(done.stdout)
    assert done.exit_code == 0
    stream = Stream(nic)
    stream.feed(Path(result["file"]).read_bytes())
    stream.finish()
    assert stream.frames == result["frames"] > 60
    assert not stream.account.rejected
    assert stream.account.container_bytes == len(nic.opening())


def test_killed_it_leaves_a_readable_file_that_goes_on(card: Card, tmp_path: Path) -> None:
    words = ["--source", card.source, "--name", "a", "--label", "presence=vacant", tmp_path]
    part = tmp_path / "a.dat.part"
    running = started(*words)
    wait_for(lambda: part.exists() and part.stat().st_size > 50 * len(RECORDS[0]), "some frames")
    running.send_signal(signal.SIGKILL)
    running.communicate()
    kept = parsed(part)
    assert kept.frames >= 50
    assert not kept.account.rejected
    with part.open("ab") as file:  # the kernel writes whole reads; a disk may still cut one
        file.write(RECORDS[0][:200])
    again = started(*words, "--resume", "--json")
    size = part.stat().st_size
    wait_for(lambda: part.stat().st_size > size + 20 * len(RECORDS[0]), "more frames")
    again.send_signal(signal.SIGTERM)
    out, err = again.communicate(timeout=30)
    assert again.returncode == 0, err
    result = json.loads(out)
    assert result["resumed_behind"] == kept.frames
    whole = parsed(tmp_path / "a.dat")
    assert whole.frames == result["frames"] >= kept.frames + 20
    assert not whole.account.rejected, "the cut record is gone, and neither neighbour with it"
    assert read_dataset(tmp_path)[0]["labels"] == {"presence": "vacant"}


def test_a_full_disk_keeps_what_there_is(card: Card, tmp_path: Path) -> None:
    """A limit on the file's size makes write fail half-way through a record, as a full disk does."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    running = started("--source", card.source, "--name", "a", "--json", tmp_path, before=limit)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 1, err
    result = json.loads(out)
    assert not result["complete"]
    assert "make room and go on with --resume" in result["error"]
    assert b"a.dat.part: File too large" in err
    kept = parsed(tmp_path / "a.dat.part")
    assert kept.frames > 10
    assert not kept.account.rejected, "the record that did not fit is taken off again"
    told_json = ["--source", card.source, "--name", "a", "--resume", "--for", "0.1s", tmp_path]
    assert record(*told_json).exit_code == 0
    assert parsed(tmp_path / "a.dat").frames >= kept.frames


def test_a_disk_that_is_really_full(card: Card, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        done = record("--source", card.source, "--name", "a", small)
        assert "No space left on device" in str(done.exception)
        assert parsed(small / "a.dat.part").frames > 50
        assert not parsed(small / "a.dat.part").account.rejected
    finally:
        subprocess.run(["umount", small], check=True)


def test_what_the_transport_and_the_card_lose_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: threading.Event
) -> None:
    """A tiny socket buffer, flooded after it is opened and before anybody reads."""
    card, take = Card(), record_command._take

    def flooded(*words: Any, **more: Any) -> Take:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in RECORDS:
                sender.sendto(datagram, ("127.0.0.1", card.port))
        threading.Timer(0.3, told.set).start()
        return take(*words, **more)

    monkeypatch.setattr("drivers.live.udp.WANTED_BYTES", 4096)
    monkeypatch.setattr(record_command, "_take", flooded)
    result = json.loads(record("--source", card.source, "--name", "a", "--json", tmp_path).stdout)
    lost = result["lost_by_transport"]["socket_overflow"]
    assert result["frames"] + lost == 600
    assert result["frames"] > 0
    assert lost > 0


def test_no_frame_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    done = record("--source", Card().source, "--for", "0.1s", "--label", "presence=vacant", tmp_path)
    assert isinstance(done.exception, CommandError)
    assert "roomtone doctor --nic intel5300" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_standard_input_ends_a_recording(tmp_path: Path) -> None:
    command = ["record", "--nic", "intel5300", "--source", "-", "--name", "a", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *command],
        input=b"".join(RECORDS[:50]),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.dat").read_bytes() == b"".join(RECORDS[:50])
    assert b"50 frames" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--label", "vacant"],
        ["--label", "presence=vacant", "--label", "presence=occupied"],
        ["--label", "presence=vacant@5s-2s"],
        ["--label", "presence=vacant@0s-90s", "--for", "60s"],
        ["--for", "soon"],
    ],
)
def test_labels_that_make_no_sense_are_usage_errors(tmp_path: Path, words: list[str]) -> None:
    assert record("--source", "udp:127.0.0.1:0", *words, tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_begun_says_so(tmp_path: Path) -> None:
    def why(*words: object) -> str:
        return str(record("--source", "udp:127.0.0.1:0", *words).exception)

    assert "plain name" in why("--name", "../a", tmp_path)
    assert "Interrupted: none" in why("--resume", tmp_path)
    assert "nothing to resume" in why("--resume", "--name", "a", tmp_path)
    (tmp_path / "file").write_text("")
    assert "cannot make folder" in why(tmp_path / "file" / "x")
    (tmp_path / "dataset.toml").write_text("schema = 1\n[[recording\n")
    assert "repair it first" in why(tmp_path)
    (tmp_path / "dataset.toml").write_text("schema = 9\n")
    assert "schema 9" in why(tmp_path)
    assert isinstance(record("--source", "tcp:1", tmp_path).exception, SourceError)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["dataset.toml", "file"]


def test_two_recorders_of_one_folder_both_get_listed(tmp_path: Path) -> None:
    def entry(number: int) -> Entry:
        return Entry(
            file=f"{number}.dat",
            nic="intel5300",
            labels=[Label("presence", "va\x7fcant\u2028")],
            domain="d",
            session="s",
            person="",
            licence="l",
            notes="",
            started_ns=10**18,
            seconds=1.0,
            frames=1,
        )

    many = [threading.Thread(target=add_recording, args=(tmp_path, entry(number))) for number in range(12)]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    add_recording(tmp_path, entry(3))
    listed = tomllib.loads((tmp_path / "dataset.toml").read_text())["recording"]
    assert {one["file"] for one in listed} == {f"{number}.dat" for number in range(12)}
    assert len(listed) == 12
    assert listed[0]["labels"] == {"presence": "va\x7fcant\u2028"}


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").mkdir()
    with pytest.raises(DatasetError, match=r"cannot read .*dataset\.toml"):
        read_dataset(tmp_path)


def test_a_list_that_breaks_meanwhile_costs_no_frame(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = record_command._take

    def broken(*words: Any, **more: Any) -> Take:
        taken = begin(*words, **more)
        (tmp_path / "dataset.toml").write_text("schema = 1\n[[recording\n")
        return taken

    monkeypatch.setattr(record_command, "_take", broken)
    words = ["--source", card.source, "--name", "a", "--for", "0.2s", "--json"]
    failed = record(*words, tmp_path)
    told = json.loads(failed.stdout)
    assert (told["complete"], told["file"]) == (False, str(tmp_path / "a.dat.part"))
    assert "repair it first" in told["error"]
    assert "--resume" in str(failed.exception)
    monkeypatch.setattr(record_command, "_take", begin)
    (tmp_path / "dataset.toml").unlink()
    resumed = json.loads(record(*words, "--resume", tmp_path).stdout)
    assert (resumed["complete"], resumed["frames"]) == (True, told["frames"])
    assert [one["frames"] for one in read_dataset(tmp_path)] == [told["frames"]]


def test_a_word_that_is_no_text_leaves_nothing_behind(tmp_path: Path) -> None:
    failed = record("--source", "udp:127.0.0.1:0", "--for", "0.1s", "--person", "\udcff", tmp_path)
    assert isinstance(failed.exception, RecordingError)
    assert "no UTF-8" in str(failed.exception)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_those_that_came(card: Card, tmp_path: Path) -> None:
    assert record("--source", card.source, "--for", "0.2s", "--name", "a", tmp_path).exit_code == 0
    found: list[Any] = list(intel5300.parse((tmp_path / "a.dat").read_bytes(), final=True).blocks)
    sent = {
        frame[1:] for frame in frames_in_order(list(intel5300.parse(b"".join(RECORDS), final=True).blocks))
    }
    assert {frame[1:] for frame in frames_in_order(found)} <= sent
