"""The forwarders for old hosts: real processes, real TLS, a wire that breaks, tokens that are spent."""

import ast
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers import intel5300
from drivers.live import open_source
from tests.deploy.forwarder import (
    FOLDER,
    SCRIPT,
    Adapter,
    Forwarder,
    Wire,
    build,
    compiler,
    wait_for,
    words_of,
)
from tests.drivers.intel import other, records
from tests.drivers.live import Reader

pytestmark = pytest.mark.timeout(120)
RECORDS = records(40)

ENOBUFS_EVERY_THIRD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
ssize_t recv(int fd, void *at, size_t size, int flags) {
    static int calls;
    ssize_t (*real)(int, void *, size_t, int);
    if (fd == atoi(getenv("FULL_FD")) && ++calls % 3 == 0) { errno = ENOBUFS; return -1; }
    *(void **)&real = dlsym(RTLD_NEXT, "recv");
    return real(fd, at, size, flags);
}
"""


@pytest.fixture(scope="module", params=["python", "c"])
def words(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """How each of the two forwarders is started."""
    return words_of(request.param, tmp_path_factory.mktemp("built"))


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    with Adapter(tmp_path / "enrolment") as listening:
        yield listening


def test_every_record_of_a_log_arrives_as_it_was(words: list[str], adapter: Adapter, tmp_path: Path) -> None:
    log = tmp_path / "log.dat"
    wanted = [*RECORDS, other(0xC1, 400), *records(5, ntx=1)] * 40
    log.write_bytes(b"".join(wanted))
    with Forwarder(words, adapter, source=f"file:{log}") as forwarder:
        assert forwarder.wait() == 0, forwarder.said
    assert adapter.data == b"".join(wanted)
    assert not +adapter.source.lost
    assert adapter.source.received == len(wanted)
    assert not adapter.source.unauthenticated


def test_a_token_is_good_once_and_a_secret_takes_its_place(words: list[str], adapter: Adapter) -> None:
    with Forwarder(words, adapter) as first:
        first.feed(RECORDS[:3])
        assert first.end() == 0, first.said
    kept = first.secret_file.read_text().strip()
    assert first.secret_file.stat().st_mode & 0o777 == 0o600
    on_disk = (adapter.folder / "enrolment.json").read_text()
    with Forwarder(words, adapter, token="") as again:  # the secret is enough
        again.feed(RECORDS[3:5])
        assert again.end() == 0, again.said
    first.secret_file.unlink()
    with Forwarder(words, adapter) as thief:
        assert thief.wait() == 1
    assert "used_token" in thief.said
    assert "links enroll" in thief.said
    assert adapter.source.ignored["used_token"] == 1
    assert adapter.frames == 5
    for text in (on_disk, first.said, thief.said, adapter.source.trouble or ""):
        assert adapter.token not in text
        assert kept not in text


def test_a_new_enrolment_ends_the_old_secret(words: list[str], adapter: Adapter) -> None:
    with Forwarder(words, adapter) as first:
        first.feed(RECORDS[:1])
        assert first.end() == 0, first.said
    adapter.stop()
    renewed = Adapter(adapter.folder)
    with renewed, Forwarder(words, renewed, token="") as old:
        assert old.wait() == 1
        assert "wrong_session" in old.said
        with Forwarder(words, renewed) as new:  # the kept secret fails, the new token is tried
            new.feed(RECORDS[:2])
            assert new.end() == 0, new.said
        assert renewed.frames == 2
    adapter.start()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"token": "made-up"}, "wrong_token"),
        ({"link": "l2"}, "other_link"),
        ({"nic": "esp32"}, "other_nic"),
    ],
)
def test_who_is_not_enrolled_is_refused(
    words: list[str], adapter: Adapter, given: dict[str, Any], reason: str
) -> None:
    with Forwarder(words, adapter, **given) as stranger:
        assert stranger.wait() == 1
    assert reason in stranger.said
    assert adapter.source.ignored[reason] == 1
    assert not stranger.secret_file.exists()
    with Forwarder(words, adapter) as enrolled:  # the token was not spent by this
        enrolled.feed(RECORDS[:1])
        assert enrolled.end() == 0, enrolled.said
    assert adapter.frames == 1


def test_another_certificate_gets_nothing(words: list[str], adapter: Adapter) -> None:
    with Forwarder(words, adapter, fingerprint="00" * 32) as careful:
        assert careful.wait() == 1
    assert "nothing was sent" in careful.said
    assert adapter.fingerprint in careful.said
    wait_for(lambda: adapter.source.ignored["no_greeting"] + adapter.source.ignored["no_tls"], "the hang-up")
    assert adapter.source.received == 0


def test_what_the_way_lost_is_counted(words: list[str], adapter: Adapter) -> None:
    with Wire(adapter.port) as wire, Forwarder(words, adapter, port=wire.port) as forwarder:
        forwarder.feed(RECORDS[:10])
        wait_for(lambda: adapter.frames == 10, "ten records")
        wire.swallow = True
        forwarder.feed(RECORDS[10:20])
        wait_for(lambda: wire.swallowed >= sum(map(len, RECORDS[10:20])), "the wire to swallow ten")
        wire.cut()
        wait_for(lambda: forwarder.said.count("connected to") == 2, "a second connection")
        forwarder.feed(RECORDS[20:])
        assert forwarder.end() == 0, forwarder.said
    assert adapter.data == b"".join(RECORDS[:10] + RECORDS[20:])
    assert +adapter.source.lost == {"connection_lost": 10}


def test_an_adapter_that_is_away_costs_the_oldest(words: list[str], adapter: Adapter) -> None:
    with Forwarder(words, adapter, "--queue", "5") as forwarder:
        forwarder.feed(RECORDS[:1])
        wait_for(lambda: adapter.frames == 1, "the first record")
        adapter.stop()
        wait_for(lambda: "connection lost" in forwarder.said, "the forwarder to see it")
        forwarder.feed(RECORDS[1:])
        wait_for(lambda: "no connection to" in forwarder.said, "an attempt in vain")
        adapter.start()
        assert forwarder.end() == 0, forwarder.said
    assert adapter.data.endswith(b"".join(RECORDS[-5:]))
    assert set(+adapter.source.lost) == {"forwarder_queue"}
    assert adapter.frames + adapter.source.lost["forwarder_queue"] == len(RECORDS)


def connector_message(record: bytes) -> bytes:
    """A record as the kernel multicasts it: without its length, behind both headers."""
    data = record[2:]
    inner = struct.pack("=IIIIHH", 26, 1, 0, 0, len(data), 0) + data
    return struct.pack("=IHHII", 16 + len(inner), 3, 0, 0, 0) + inner


def test_a_full_socket_is_counted_not_the_end(words: list[str], adapter: Adapter, tmp_path: Path) -> None:
    shim, code = tmp_path / "full.so", tmp_path / "full.c"
    code.write_text(ENOBUFS_EVERY_THIRD)
    subprocess.run([compiler(), "-shared", "-fPIC", "-o", shim, code, "-ldl"], check=True)
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, ours:
        fd = ours.fileno()
        full = {"LD_PRELOAD": str(shim), "FULL_FD": str(fd)}
        with Forwarder(
            words, adapter, source=f"netlink:fd={fd}", pass_fds=(fd,), environment=full
        ) as forwarder:
            ours.close()
            for record in RECORDS[:9]:
                kernel.send(connector_message(record))
            kernel.send(b"no netlink message")
            kernel.close()
            assert forwarder.wait() == 0, forwarder.said
    assert adapter.data == b"".join(RECORDS[:9])
    assert +adapter.source.lost == {"socket_overflow": 5, "forwarder_queue": 1}


def test_a_device_that_gives_nothing_goes_on(words: list[str], adapter: Adapter, tmp_path: Path) -> None:
    device = tmp_path / "CSI_dev"
    os.mkfifo(device)
    with Forwarder(words, adapter, source=f"dev:{device}") as forwarder:
        for at in (0, 1):  # closing a FIFO makes reads of 0 bytes, as the driver's time-out does
            with device.open("wb") as card:
                card.write(RECORDS[at])
            wait_for(partial(lambda at: adapter.frames == at + 1, at), "the record")
        forwarder.process.send_signal(signal.SIGTERM)
        assert forwarder.wait() == 0, forwarder.said
    assert adapter.data == b"".join(RECORDS[:2])


def test_told_to_stop_it_delivers_what_it_has(words: list[str], adapter: Adapter) -> None:
    with Forwarder(words, adapter) as forwarder:
        forwarder.feed(RECORDS)
        wait_for(lambda: adapter.frames == len(RECORDS), "all records")
        forwarder.process.send_signal(signal.SIGTERM)
        assert forwarder.wait() == 0, forwarder.said
    assert f"sent={len(RECORDS)} dropped=0" in forwarder.said


@pytest.mark.parametrize("kind", ["python", "c", "c without TLS"])
def test_plain_udp_is_one_datagram_a_record(kind: str, tmp_path: Path) -> None:
    start = [str(build(tmp_path, tls=False))] if kind == "c without TLS" else words_of(kind, tmp_path)
    log = tmp_path / "log.dat"
    log.write_bytes(b"".join(RECORDS))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with open_source(f"udp:0.0.0.0:{port}", intel5300, allow=["127.0.0.1"]) as source:
        command = [*start, "--nic", "intel5300", "--source", f"file:{log}", "--to", f"udp://127.0.0.1:{port}"]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        reader = Reader(source)
        reader.until(lambda: reader.frames == len(RECORDS), "all records")
        assert reader.data == b"".join(RECORDS)
        assert source.unauthenticated


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--source", "-", "--to", "udp://127.0.0.1:1"], "--nic", 2),
        (["--nic", "nexmon", "--source", "-", "--to", "udp://127.0.0.1:1"], "--source", None),
        (["--nic", "atheros", "--source", "tape", "--to", "udp://127.0.0.1:1"], "--source", None),
        (
            ["--nic", "atheros", "--source", "dev:/nothing/here", "--to", "udp://127.0.0.1:1"],
            "/nothing/here",
            1,
        ),
        (["--nic", "atheros", "--source", "-", "--to", "http://x"], "--to", None),
        (["--nic", "atheros", "--source", "-", "--to", "tls://127.0.0.1:1"], "--fingerprint", None),
    ],
)
def test_mistakes_are_one_line_that_helps(
    words: list[str], arguments: list[str], said: str, code: int | None
) -> None:
    done = subprocess.run(
        [*words, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code if code else done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_an_example(words: list[str]) -> None:
    shown = subprocess.run([*words, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert "ROOMTONE_TOKEN=" in shown
    assert "--fingerprint" in shown


def test_an_old_python_understands_it() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 4))
    vermin = Path(sys.executable).with_name("vermin")
    look: list[str | Path] = [
        vermin,
        "--no-tips",
        "--eval-annotations",
        "--backport",
        "argparse",
        "-t=3.4-",
        "--violations",
        SCRIPT,
    ]
    verdict = subprocess.run(look, capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stdout
    imported = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported - {"roomtone_host"} <= sys.stdlib_module_names


def test_the_doctor_comes_along(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    shutil.copytree(FOLDER / "roomtone_host", tmp_path / "roomtone_host")
    script = str(tmp_path / "roomtone_forward.py")
    words = [sys.executable, script, "--doctor", "--json", "--nic", "intel5300"]
    report = json.loads(subprocess.run(words, capture_output=True, check=False, timeout=60).stdout)
    assert report["checks"]
