"""`roomtone links enroll`: the very lines it prints, pasted, bring frames to a running service."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from service.bus.registry import curve_folder, open_ingest
from service.cli import links
from service.errors import BusError
from service.settings import Settings
from tests.deploy.forwarder import FOLDER
from tests.drivers.intel import records
from tests.e2e.site import ROOMTONE, Site, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)
LOG = b"".join(records(400))


class EncryptedSite(Site):
    """A site whose ingest endpoint every host reaches, so that it wants keys."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"ROOMTONE_INGEST__ENDPOINT": f"tcp://0.0.0.0:{self.ingest_port}"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with EncryptedSite(tmp_path_factory.mktemp("site")) as running:
        yield running


@contextmanager
def pasted(line: str, folder: Path, feed: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """A shell that runs the line with our programs on its path; fed, and ended, by standard input."""
    programs = f"{ROOMTONE.parent}{os.pathsep}{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    with (folder / "said.log").open("ab") as said:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=FOLDER,
            env={**clean, "PATH": programs, "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # the shell and what it started end together
        )
        assert shell.stdin is not None
        try:
            shell.stdin.write(feed)
            shell.stdin.flush()
            yield shell
        finally:
            shell.stdin.close()
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
            shell.wait(30)


def enroll(site: Site, *words: str) -> dict[str, Any]:
    """What the command tells, run in this process."""
    asked = ["enroll", "--nic", "intel5300", "--room", "lab", "--json", *words]
    nothing = {name: None for name in os.environ if name.startswith("ROOMTONE_")}
    done = CliRunner().invoke(links.app, asked, env={**nothing, **site.environment})
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def link_of(site: Site, link: str) -> dict[str, Any]:
    answer: httpx2.Response = site.client.get(f"/v1/links/{link}")
    return dict(answer.json()) if answer.status_code == 200 else {}


def arrived(site: Site, link: str) -> bool:
    return bool(link_of(site, link).get("received"))


def test_the_line_of_a_modern_host_delivers_encrypted(site: Site, tmp_path: Path) -> None:
    told = enroll(site, "--link", "modern", "--source", "-", "--address", "127.0.0.1")
    assert told["here"] is None
    assert link_of(site, "modern")["room"] == "lab"
    with pasted(told["line"], tmp_path, LOG):
        wait_for(lambda: arrived(site, "modern"), f"frames; see {tmp_path}/said.log")


def test_the_lines_of_an_old_host_deliver_over_tls(site: Site, tmp_path: Path) -> None:
    port = str(free_port())
    told = enroll(
        site, "--link", "old", "--source", "-", "--old-host", "--address", "127.0.0.1", "--port", port
    )
    with pasted(told["here"], tmp_path), pasted(told["line"], tmp_path, LOG):
        wait_for(lambda: arrived(site, "old"), f"frames; see {tmp_path}/said.log")


def test_the_line_works_without_the_service_installed(site: Site, tmp_path: Path) -> None:
    told = enroll(site, "--link", "bare", "--source", "-", "--address", "127.0.0.1")
    line = told["line"].replace("roomtone adapter", f"{sys.executable} -m drivers")
    with pasted(f"cd {Path(__file__).parents[2]} && {line}", tmp_path, LOG):
        wait_for(lambda: arrived(site, "bare"), f"frames; see {tmp_path}/said.log")


def test_an_adapter_with_the_wrong_key_says_so(site: Site, tmp_path: Path) -> None:
    line = enroll(site, "--link", "renewed", "--source", "-", "--address", "127.0.0.1")["line"]
    newer = enroll(site, "--link", "renewed", "--source", "-", "--address", "127.0.0.1")["line"]
    said = tmp_path / "said.log"
    with pasted(line, tmp_path, LOG):
        wait_for(lambda: "does not know this key" in said.read_text(), "the adapter to say what is wrong")
    assert not arrived(site, "renewed")
    with pasted(newer, tmp_path, LOG):
        wait_for(lambda: arrived(site, "renewed"), "the new line to work")


def test_replay_on_the_same_host_needs_no_key(site: Site, tmp_path: Path) -> None:
    capture = tmp_path / "log.dat"
    capture.write_bytes(LOG)
    enroll(site, "--link", "replayed")
    done = site.command("replay", str(capture), "--link", "replayed", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["processed"] == 400


def test_replay_without_the_sites_keys_makes_none(site: Site, tmp_path: Path) -> None:
    capture, elsewhere = tmp_path / "log.dat", tmp_path / "elsewhere"
    capture.write_bytes(LOG)
    words = ("replay", str(capture), "--link", "elsewhere", "--room", "lab")
    refused = site.command(*words, "--data-dir", str(elsewhere))
    assert (refused.returncode, elsewhere.exists()) == (1, False)
    assert "is --data-dir the one of the service?" in " ".join(refused.stderr.split())


def test_secrets_are_on_no_disk_and_in_no_log(site: Site) -> None:
    told = enroll(site, "--link", "quiet", "--old-host", "--address", "127.0.0.1")
    token = told["line"].partition("ROOMTONE_TOKEN=")[2].split()[0]
    key = told["here"].partition("ROOMTONE_CURVE=")[2].split()[0][64:]
    for file in site.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert token.encode() not in content, file
            assert key.encode() not in content, file
    secret = [site.folder / "data" / name for name in ("curve/server.key", "forward/quiet/key.pem")]
    assert all(file.stat().st_mode & 0o077 == 0 for file in secret)


def test_each_forwarder_gets_a_port_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    first, second = (enroll(site, "--link", name, "--old-host")["line"] for name in ("a", "b"))
    again = enroll(site, "--link", "a", "--old-host")["line"]
    ports = [
        line.partition("--to tls://")[2].split()[0].rpartition(":")[2] for line in (first, second, again)
    ]
    assert ports == ["5580", "5581", "5580"]
    prints = [line.rpartition(" ")[2] for line in (first, second, again)]
    assert prints[0] == prints[2] != prints[1]


def test_a_local_endpoint_needs_no_key_and_the_line_says_what_it_is_good_for(tmp_path: Path) -> None:
    site = Site(tmp_path)
    told = enroll(site, "--link", "l1")
    assert "ROOMTONE_CURVE" not in told["line"]
    assert any("this host only" in note for note in told["notes"])


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--nic", "abacus", "--link", "l1", "--room", "lab"], "no NIC named", 2),
        (["--nic", "intel5300", "--link", "a/b", "--room", "lab"], "is no name", 2),
        (["--nic", "intel5300", "--link", "taken", "--room", "other"], "belongs to room lab", 1),
    ],
)
def test_mistakes_change_nothing(tmp_path: Path, words: list[str], said: str, code: int) -> None:
    site = Site(tmp_path)
    enroll(site, "--link", "taken")
    done = site.command("links", "enroll", *words)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())


def test_an_open_endpoint_without_keys_is_refused_with_advice(tmp_path: Path) -> None:
    site = EncryptedSite(tmp_path)
    open_ = {**site.environment, "ROOMTONE_INGEST__CURVE": "false"}
    words = [str(ROOMTONE), "run", "--no-demo"]
    done = subprocess.run(words, env=open_, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ingest.insecure = true" in done.stderr


def test_insecure_is_a_choice(tmp_path: Path) -> None:
    given = {"endpoint": "tcp://0.0.0.0:5570", "insecure": True}
    settings = Settings.model_validate({"data_dir": tmp_path, "ingest": given})
    assert curve_folder(settings) is None
    assert (
        curve_folder(Settings.model_validate({"data_dir": tmp_path, "ingest": {"curve": True}})) is not None
    )


def test_damaged_keys_are_one_clear_error(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "ingest": {"curve": True}})
    folder = curve_folder(settings)
    assert folder is not None
    folder.server_keys()
    (folder.path / "server.key").write_text("{")
    with pytest.raises(BusError, match="backup"):
        open_ingest("tcp://127.0.0.1:*", folder)
