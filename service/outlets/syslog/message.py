"""Syslog messages as RFC 5424 writes them, framed by octet counting (RFC 5425, 4.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.events import Severity
from service.state import rfc3339

SEVERITIES: Final = {Severity.CRITICAL: 2, Severity.WARNING: 4, Severity.INFO: 6}
"""Ours -> RFC 5424, table 2: Critical, Warning, Informational."""
MAX_SEQUENCE_ID: Final = 2**31 - 1
_NIL: Final = "-"
_MSGID: Final = 32
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPED: Final = re.compile(r'(["\\\]])')


@dataclass(frozen=True, slots=True)
class Entry:
    """What one message tells. `kind` names the sort of event, `fields` go into the structured data."""

    time_ns: int
    severity: Severity
    kind: str
    fields: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """What all messages of a sender share."""

    facility: int
    hostname: str
    enterprise: int
    version: str


def encode(entry: Entry, header: Header, sequence_id: int) -> bytes:
    """The message; `sequence_id` (1 to 2**31 - 1) counts what this sender wrote (RFC 5424, 7.3.1)."""
    priority = header.facility * 8 + SEVERITIES[entry.severity]
    head = f"<{priority}>1 {rfc3339(entry.time_ns)} {header.hostname} roomtone {_NIL} {_msgid(entry.kind)} "
    data = (
        _element(f"roomtone@{header.enterprise}", entry.fields)
        + _element("origin", {"software": "roomtone", "swVersion": header.version})
        + _element("meta", {"sequenceId": str(sequence_id)})
    )
    return f"{head}{data} ".encode() + _BOM + _one_line(entry.text).encode()


def frame(message: bytes) -> bytes:
    """The message with its length in front."""
    return f"{len(message)} ".encode() + message


def _element(name: str, fields: Mapping[str, str]) -> str:
    parameters = "".join(
        f' {key}="{_ESCAPED.sub(_backslash, _one_line(value))}"' for key, value in fields.items()
    )
    return f"[{name}{parameters}]"


def _backslash(found: re.Match[str]) -> str:
    return "\\" + found.group()


def _msgid(kind: str) -> str:
    """Printable ASCII without spaces."""
    kept = "".join(letter for letter in kind if "!" <= letter <= "~")
    return kept[:_MSGID] or _NIL


def _one_line(text: str) -> str:
    """Without control characters: a name with a line break in it must not look like two messages."""
    cleaned = "".join(letter if letter.isprintable() else " " for letter in text)
    return cleaned.encode("utf-8", "replace").decode()
