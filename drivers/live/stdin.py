"""``-``: standard input, the quickest way to attach any tool that writes a capture (log_to_file, tcpdump)."""

import os
import select
import sys

from drivers.errors import SourceError
from drivers.live.base import IDLE_S, LiveSource
from drivers.registry import Nic

_CHUNK_BYTES = 256 * 1024


def open(rest: str, nic: Nic) -> LiveSource:  # noqa: A001 - the name that every transport has
    """Standard input.

    Raises:
        SourceError: something follows the dash.
    """
    if rest:
        raise SourceError(f"standard input is '-' alone, not '-:{rest}'")
    return StandardInput(nic)


class StandardInput(LiveSource):
    """Bytes of standard input as they arrive; it brings its own file header, if its format has one."""

    def __init__(self, nic: Nic) -> None:
        super().__init__(nic, "standard input")

    @property
    def opening(self) -> bytes:
        """None of ours: the writer's own is in the stream."""
        return b""

    def read(self) -> bytes | None:
        """As `LiveSource.read`; the end is where the writer closes."""
        try:
            file = sys.stdin.fileno()
            if not select.select([file], [], [], IDLE_S)[0]:
                return b""
            chunk = os.read(file, _CHUNK_BYTES)
        except OSError as error:
            raise SourceError(f"cannot read standard input: {error.strerror or error}") from error
        self.received += bool(chunk)
        return chunk or None

    def close(self) -> None:
        """Nothing to give back."""
