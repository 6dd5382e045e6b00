"""The last member of an archive: what is in it, so that a damaged one is known before anything changes.

An archive is a tar, gzipped: ``tables/NAME/NNNNNN.jsonl`` (rows, one JSON object a line, bytes in base64),
``files/PATH`` (of the data folder) and ``manifest.json``.
"""

import re
from pathlib import PurePosixPath
from typing import Final

import msgspec

from service.errors import ServiceError

FORMAT: Final = 1
NAME: Final = "manifest.json"
FOLDERS: Final = ("models", "curve", "forward")
FILES: Final = ("webhooks.key",)
"""What of the data folder belongs to the site and is not in the database."""
_ROWS = re.compile(r"tables/(?P<table>[a-z_]{1,63})/\d{6}\.jsonl")


class BackupError(ServiceError):
    """An archive cannot be written, or is not one that can be restored here."""


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds.

    Attributes:
        format: of the archive.
        version: of the Roomtone that wrote it.
        made_at: RFC 3339.
        database: kind it was made of.
        steps: migrations of the store, name by number.
        rows: of each table.
        counters: last number given out by tables that count.
        digests: SHA-256 of each member but this one.
    """

    format: int
    version: str
    made_at: str
    database: str
    steps: dict[int, str]
    rows: dict[str, int]
    counters: dict[str, int]
    digests: dict[str, str]


def table_of(member: str) -> str | None:
    """The table whose rows this member holds, None for another kind of member."""
    match = _ROWS.fullmatch(member)
    return None if match is None else match["table"]


def file_of(member: str) -> PurePosixPath | None:
    """The path in the data folder of this member, None for another kind of member.

    Raises:
        BackupError: it leads out of the folder, or to what is no part of a backup.
    """
    if not member.startswith("files/"):
        return None
    path = PurePosixPath(member.removeprefix("files/"))
    inside = path.parts and ".." not in path.parts and not path.is_absolute()
    if not inside or not (path.parts[0] in FOLDERS or str(path) in FILES):
        raise BackupError(f"{member!r} has no place in an archive of ours; nothing was restored")
    return path
