"""The servers that `bench api` measures: a site's API, and a bare FastAPI route that returns a constant."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from service.cli.errors import CommandError
from service.settings import Settings

_START_S = 60.0
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A server process and where it listens on loopback."""

    port: int
    process: "psutil.Process"

    @property
    def memory_mb(self) -> float:
        """What it holds now."""
        return round(float(self.process.memory_info().rss) / 2**20, 1)

    @property
    def cpu_s(self) -> float:
        """Processor seconds so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def site_api(settings: Settings, port: int) -> Iterator[Server]:
    """The API of this site, without limits of rate: one key plays all clients."""
    environment = {
        "ROOMTONE_DATA_DIR": str(settings.data_dir),
        "ROOMTONE_INGEST__ENDPOINT": settings.ingest.endpoint,
        "ROOMTONE_SERVER__PORT": str(port),
    }
    with _started([sys.executable, "-m", "service.cli", "api"], environment, port) as server:
        yield server


@contextmanager
def bare_route(port: int) -> Iterator[Server]:
    """FastAPI with one route, run by the same server with the same settings."""
    with _started(
        [sys.executable, "-m", "service.cli.bench.serving.constant", str(port)], {}, port
    ) as server:
        yield server


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], port: int) -> Iterator[Server]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    with subprocess.Popen(command, env={**clean, **environment}, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_listens(port, process)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()


def _wait_until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandError("a server did not start; `roomtone api` tells why") from error
            time.sleep(_LOOK_S)
        else:
            return


def free_port() -> int:
    """A port on loopback that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
