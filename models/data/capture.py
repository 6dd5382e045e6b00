"""Captures of labelled recordings, as the bus would carry their frames."""

from collections.abc import Iterator
from pathlib import Path

from drivers.batch import in_slots
from drivers.errors import DriverError
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.registry import load
from drivers.source import nic_of, read_chunks
from models.errors import DatasetError


def blocks_of(path: Path, nic: str | None = None) -> Iterator[FrameBlock]:
    """Frames of one capture and one sender in short blocks in stream order, as the bus would carry them.

    Args:
        path: of the capture.
        nic: whose format it is in; None to find out.

    Raises:
        DatasetError: it cannot be read, or is no CSI capture.
    """
    try:
        pipeline = Pipeline(nic_of(path) if nic is None else load(nic))
        blocks = [block for chunk in read_chunks(path) for block in pipeline.feed(chunk)]
        found = [*blocks, *pipeline.finish()]
    except DriverError as error:
        raise DatasetError(f"recording {path}: {error}") from error
    if not found:
        raise DatasetError(f"recording {path} holds no frame")
    yield from in_slots(found)
