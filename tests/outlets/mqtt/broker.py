"""A real mosquitto on free loopback ports: one open, one that asks for a password, one with TLS."""

import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from service.certificate import own_certificate
from tests.ports import free_port
from tests.service.running import wait_for

USER, PASSWORD = "roomtone", "let me in"
CONFIG = """
per_listener_settings true
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 10
max_inflight_messages 0
max_queued_messages 0

listener {port} 127.0.0.1
allow_anonymous true

listener {guarded} 127.0.0.1
password_file {folder}/passwords
acl_file {folder}/rights

listener {tls} 127.0.0.1
allow_anonymous true
certfile {folder}/cert.pem
keyfile {folder}/key.pem
"""
RIGHTS = f"user {USER}\ntopic readwrite allowed/#\ntopic write roomtone/+/status\ntopic read #\n"


class Broker:
    """Mosquitto that can be killed and started again; what it keeps outlives it."""

    def __init__(self, folder: Path, rights: str = RIGHTS) -> None:
        self.folder = folder
        self.port, self.guarded, self.tls = free_port(), free_port(), free_port()
        self.certificate = folder / "cert.pem"
        own_certificate(self.certificate, folder / "key.pem", name="broker", hosts=["localhost"])
        text = CONFIG.format(folder=folder, port=self.port, guarded=self.guarded, tls=self.tls)
        (folder / "mosquitto.conf").write_text(f"user root\n{text}")
        (folder / "rights").write_text(rights)
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), USER, PASSWORD], check=True
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["mosquitto", "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        wait_for(self._answers, "mosquitto to listen")

    def stop(self) -> None:
        """In order: it writes down what it has acknowledged and not yet passed on."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        """As a power cut: what it only had in memory is lost, though it may have acknowledged it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Lose what was written down: sessions, what waited for them, retained messages."""
        (self.folder / "mosquitto.db").unlink(missing_ok=True)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def need_mosquitto() -> None:
    """Skip where the programs are missing."""
    if shutil.which("mosquitto") is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("needs mosquitto (Debian: mosquitto)")
