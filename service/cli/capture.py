"""Reading a whole capture for `inspect` and `decode`: errors by name, progress on stderr, bounded memory."""

import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.errors import SourceError
from drivers.frame import FrameBlock
from drivers.source import open_capture
from drivers.stream import Stream

BIG_BYTES = 64 * 1024 * 1024
"""Captures smaller than this are read before a progress bar could be seen."""


def read_blocks(path: Path, stream: Stream, told: Callable[[int], None]) -> Iterator[FrameBlock]:
    """All blocks of a capture, `told` of the bytes consumed so far.

    Raises:
        SourceError: the file cannot be read, or its packing is damaged; `stream` is finished even so.
    """
    for together in read_together(path, stream, told):
        yield from together


def read_together(path: Path, stream: Stream, told: Callable[[int], None]) -> Iterator[list[FrameBlock]]:
    """The same, with the blocks of one reading together: their frames are mixed in stream order.

    Raises:
        SourceError: as above.
    """
    with open_capture(path) as file:
        try:
            while (blocks := stream.fill(file.readinto1)) is not None:  # type: ignore[attr-defined]
                yield blocks
                told(stream.account.total_bytes)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            yield stream.finish()
            raise SourceError(f"cannot read {path} further: {error}") from error
    yield stream.finish()


@contextmanager
def progress(path: Path, label: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for big captures; takes the bytes done."""
    size = path.stat().st_size if path.is_file() else 0
    with Progress(
        TextColumn(label),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or size < BIG_BYTES,
    ) as bar:
        packed = path.suffix in {".xz", ".gz"}
        task = bar.add_task(path.name, total=None if packed else size)
        yield lambda done: bar.update(task, completed=done)
