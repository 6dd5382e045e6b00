"""Both forwarders as processes, an enrolled TLS source in a thread, and a wire between them that breaks."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from drivers import intel5300
from drivers.live.enrolment import CERTIFICATE, KEY, enrol
from drivers.live.tls import TlsSource
from service.certificate import own_certificate

FOLDER = Path(__file__).parents[2] / "deploy" / "forwarder"
SCRIPT, PROGRAM = FOLDER / "roomtone_forward.py", FOLDER / "roomtone_forward.c"
STRICT = ["-std=c99", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror"]


def wait_for(what: Callable[[], object], why: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds:g} s for {why}"
        time.sleep(0.01)


def compiler() -> str:
    """The C compiler; skips where there is none."""
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("no C compiler here (Debian: gcc, libc6-dev)")
    return found


def build(folder: Path, *, tls: bool) -> Path:
    """The C program, compiled with every warning an error."""
    target = folder / ("forward_tls" if tls else "forward_plain")
    words: list[str | Path] = [compiler(), *STRICT, *(["-DWITH_TLS"] if tls else []), "-o", target, PROGRAM]
    if tls:
        header, look = b"#include <openssl/ssl.h>\n", [compiler(), "-E", "-"]
        if subprocess.run(look, input=header, capture_output=True, check=False).returncode:
            pytest.skip("no OpenSSL headers here (Debian: libssl-dev)")
        words += ["-lssl", "-lcrypto"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def words_of(kind: str, folder: Path) -> list[str]:
    """How to start the forwarder of that kind: ``python`` or ``c``."""
    return [sys.executable, str(SCRIPT)] if kind == "python" else [str(build(folder, tls=True))]


class Adapter:
    """An enrolled source that is read in a thread, as an adapter reads it.

    Attributes:
        data: bytes it gave so far. token, fingerprint: as `links enroll` would print them.
    """

    def __init__(self, folder: Path, *, link: str = "l1", nic: str = "intel5300") -> None:
        self.folder, self.data, self.port, self._quiet = folder, b"", 0, 0
        folder.mkdir(exist_ok=True)
        self.fingerprint = own_certificate(folder / CERTIFICATE, folder / KEY, name=link)
        self.token = enrol(folder, link=link, nic=nic, port=0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Listen, at the port it had before if it had one."""
        sock = socket.create_server(("127.0.0.1", self.port))
        self.source = TlsSource(intel5300, sock, self.folder)
        self.port = self.source.port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            chunk = self.source.read() or b""
            self.data += chunk
            self._quiet += not chunk

    def settle(self) -> None:
        """Wait until nothing more comes: what a forwarder was acknowledged is in `data` a moment later."""
        seen = self._quiet
        wait_for(lambda: self._quiet > seen + 1 or not self._thread.is_alive(), "the source to be quiet")

    def stop(self) -> None:
        """As an adapter that is stopped: connections close, the port is free."""
        self._stop.set()
        self._thread.join(30)
        self.source.close()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def frames(self) -> int:
        return intel5300.parse(self.data, final=True).account.frames


class Forwarder:
    """A forwarder's process; what it says is collected, its standard input can be fed record by record."""

    def __init__(
        self,
        words: list[str],
        adapter: Adapter,
        *more: str,
        source: str = "-",
        port: int | None = None,
        token: str | None = None,
        environment: dict[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        fingerprint: str | None = None,
        link: str = "l1",
        nic: str = "intel5300",
    ) -> None:
        self._adapter, self.secret_file = adapter, adapter.folder.parent / "secret"
        command = [*words, "--nic", nic, "--source", source, "--link", link]
        command += ["--to", f"tls://127.0.0.1:{port or adapter.port}"]
        command += ["--fingerprint", fingerprint or adapter.fingerprint]
        command += ["--secret-file", str(self.secret_file), *more]
        given = {"ROOMTONE_TOKEN": adapter.token if token is None else token, **(environment or {})}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **given},
            pass_fds=pass_fds,
        )
        self.said = ""
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line.decode()

    def feed(self, records: list[bytes]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(records))
        self.process.stdin.flush()

    def end(self) -> int:
        """Close its standard input, wait for its end; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(30)
        self._reader.join(30)
        self._adapter.settle()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._reader.join(30)
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.stderr.close()


class Wire:
    """A TCP relay that can swallow what the forwarder sends, and then break."""

    def __init__(self, port: int) -> None:
        self._target, self.swallow, self.swallowed = port, False, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for one, two, watched in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pump, args=(one, two, watched), daemon=True).start()

    def _pump(self, one: socket.socket, two: socket.socket, watched: bool) -> None:
        try:
            while data := one.recv(65536):
                if watched and self.swallow:
                    self.swallowed += len(data)
                else:
                    two.sendall(data)
            two.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        """Break every connection; the next one works again."""
        self.swallow = False
        for sock in self._open:
            with suppress(OSError):  # its other end may be gone
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
