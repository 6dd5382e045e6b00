"""Peers of outlets: real programs on loopback, that can be killed and started again."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from service.certificate import own_certificate
from tests.ports import free_port


class Receiver:
    """The HTTPS receiver of `tests.outlets.receiver`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.certificate, self.key = folder / "receiver.pem", folder / "receiver.key"
        own_certificate(self.certificate, self.key, name="receiver", hosts=["localhost"])
        self.notes = folder / "received.jsonl"
        self.notes.touch()
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str = "/ok") -> str:
        return f"https://localhost:{self.port}{path}"

    def start(self) -> None:
        words = [str(self.port), str(self.certificate), str(self.key), str(self.notes)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.outlets.receiver", *words], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def requests(self, path: str = "/ok") -> list[dict[str, Any]]:
        """What was received at a path; a line in whose writing the receiver was killed does not count."""
        notes = (_read(line) for line in self.notes.read_text().split("\n")[:-1])
        return [note for note in notes if note is not None and note["path"] == path]

    def events(self, path: str = "/ok") -> list[dict[str, Any]]:
        return [json.loads(note["body"]) for note in self.requests(path)]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def _read(line: str) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return note
