"""rsyslogd of Debian over TLS, on loopback: it writes each message, as it understood it, as JSON."""

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from service.certificate import own_certificate
from tests.ports import free_port
from tests.service.running import wait_for

_CONFIG = """
global(
  workDirectory="{folder}"
  defaultNetstreamDriverCAFile="{trusted}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}"
)
module(
  load="imtcp"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{mode}"
)
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="told" type="list" option.jsonf="on") {{
  property(outname="priority" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}}
action(type="omfile" file="{told}" template="told")
"""


class Rsyslog:
    """The daemon; may be killed and started again. With `sender` only who shows that certificate may send."""

    def __init__(self, folder: Path, sender: Path | None = None) -> None:
        program = shutil.which("rsyslogd") or shutil.which("/usr/sbin/rsyslogd")
        if program is None or not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
            pytest.skip("no rsyslogd with TLS here (Debian: rsyslog, rsyslog-gnutls)")
        self._program, self._folder = program, folder
        self.port = free_port()
        self.certificate, self._key = folder / "collector.pem", folder / "collector.key"
        own_certificate(self.certificate, self._key, name="collector", hosts=["localhost"])
        self.told = folder / "told.jsonl"
        self.told.touch()
        trusted = folder / "trusted.pem"
        trusted.write_bytes(b"".join(path.read_bytes() for path in (self.certificate, sender) if path))
        self._config = folder / "rsyslog.conf"
        self._config.write_text(
            _CONFIG.format(
                folder=folder,
                certificate=self.certificate,
                trusted=trusted,
                mode="anon" if sender is None else "x509/certvalid",
                key=self._key,
                port=self.port,
                told=self.told,
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["-n", "-i", "NONE", "-f", str(self._config)]
        self._process = subprocess.Popen([self._program, *words])
        wait_for(self._listens, "rsyslogd")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "rsyslogd ended"
        wanted = f"0100007F:{self.port:04X} "
        return any(
            wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines()
        )

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def messages(self) -> list[dict[str, Any]]:
        """What it wrote; a line in whose writing it was killed does not count."""
        found = []
        for line in self.told.read_text(errors="replace").split("\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
