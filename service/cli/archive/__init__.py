"""A capture as an archive (NumPy, HDF5, Parquet), in two passes so that memory does not grow with it."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from drivers.account import Account
from service.cli.archive.capture import Arrays, Capture, Facts, Told
from service.cli.archive.content import Content
from service.cli.errors import CommandError

FORMATS = {
    ".npz": "service.cli.archive.npz",
    ".h5": "service.cli.archive.hdf5",
    ".hdf5": "service.cli.archive.hdf5",
    ".parquet": "service.cli.archive.parquet",
}
"""Suffix -> module with ``write(target, content)``."""
__all__ = ["FORMATS", "Arrays", "Capture", "write_archive"]


class _Format(Protocol):
    write: Callable[[Path, Content], None]


def write_archive(capture: Capture, target: Path, told: Told, *, suffix: str | None = None) -> Account:
    """Write `capture` to `target`, which appears whole or not at all; nothing is written without a frame.

    The format is by the target's suffix, or by `suffix`.

    Raises:
        SourceError: the file cannot be read.
        CommandError: the target cannot be written, its format is unknown, or its library is not installed.
    """
    write = _format(suffix or target.suffix.lower()).write
    _check_target(capture.file, target)
    facts, account = Facts(), Account()
    for block in capture.blocks(account, lambda done: told(done // 2)):
        facts.add(block)
    if not account.frames:
        return account
    half = account.total_bytes
    csi = capture.csi(facts.shape, lambda done: told((half + done) // 2))
    content = Content(capture.file.name, capture.nic.NAME, facts.frames, facts.shape, *facts.arrays(), csi)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write(part, content)
        part.replace(target)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return account


def _format(suffix: str) -> _Format:
    if suffix not in FORMATS:
        raise CommandError(f"no archive format {suffix!r}; there are: {', '.join(FORMATS)}")
    try:
        return cast("_Format", import_module(FORMATS[suffix]))
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{suffix} needs {error.name}; it comes with: pip install 'roomtone[convert]'"
        ) from error


def _check_target(file: Path, target: Path) -> None:
    """Refuse what writing would destroy: the capture itself, or a device."""
    if not target.exists():
        return
    if not target.is_file():
        raise CommandError(
            f"cannot write {target}: it is no regular file; give the archive a name of its own"
        )
    if target.samefile(file):
        raise CommandError(f"cannot write {target}: it is the capture; give the archive a name of its own")
