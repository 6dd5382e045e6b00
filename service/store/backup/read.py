"""Reading an archive: everything is checked before anything is restored."""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from service.store.backup.manifest import FORMAT, NAME, BackupError, Manifest, file_of, table_of
from service.store.migrations import MIGRATIONS

_MOST_BYTES: Final = 1024**3
"""Of one member: what claims to be larger is none of ours."""


def check_archive(file: Path) -> Manifest:
    """What the archive holds; its members are all there, whole and known.

    Raises:
        BackupError: it is damaged, incomplete, not one of ours, or of a newer version.
    """
    digests, manifest = dict[str, str](), None
    for name, content in members(file):
        if manifest is not None:
            raise BackupError(f"{file} goes on after its end; nothing was restored")
        if name == NAME:
            manifest = _manifest(file, content)
        elif table_of(name) is None and file_of(name) is None:
            raise BackupError(f"{file} holds {name!r}, which is not a part of a backup; nothing was restored")
        else:
            digests[name] = hashlib.sha256(content).hexdigest()
    if manifest is None:
        raise BackupError(f"{file} is cut short: its last part is missing; nothing was restored")
    if wrong := sorted(set(digests.items()) ^ set(manifest.digests.items())):
        raise BackupError(f"{file} is damaged: {wrong[0][0]} is not what was written; nothing was restored")
    return manifest


def members(file: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents, in order.

    Raises:
        BackupError: the file is not there, or not such an archive.
    """
    with _errors_named(file), tarfile.open(file, mode="r|gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() and member.size <= _MOST_BYTES else None
            if content is None:
                raise BackupError(f"{file} holds {member.name!r}, which is not a part of a backup")
            yield member.name, content.read()


@contextmanager
def _errors_named(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BackupError(f"there is no file {file}") from error
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BackupError(f"{file} is no backup of Roomtone, or damaged: {error}") from error
    except OSError as error:
        raise BackupError(f"cannot read {file}: {error.strerror or error}") from error


def _manifest(file: Path, content: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupError(f"{file} is damaged ({NAME}: {error}); nothing was restored") from error
    known = {step.number: step.name for step in MIGRATIONS}
    if manifest.format != FORMAT or not manifest.steps.items() <= known.items():
        raise BackupError(
            f"{file} was written by Roomtone {manifest.version}, which is newer than this one: restore it "
            "with that version; nothing was restored"
        )
    return manifest
