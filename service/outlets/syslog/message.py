"""Syslog messages as RFC 5424 writes them, framed by octet counting (RFC 5425, 4.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.events import Severity
from service.outlets.syslog.cutting import cut
from service.state import rfc3339

SEVERITIES: Final = {Severity.CRITICAL: 2, Severity.WARNING: 4, Severity.INFO: 6}
"""Ours -> RFC 5424, table 2: Critical, Warning, Informational."""
MAX_SEQUENCE_ID: Final = 2**31 - 1
LEAST_MAX_BYTES: Final = 2048
"""What every receiver should take (RFC 5424, 6.1)."""
MAX_BYTES: Final = 8000
"""rsyslog splits what is longer than 8096 bytes unless it was told otherwise, and parses the rest anew."""
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
    """What all messages of a sender share; none is longer than `max_bytes`, at least `LEAST_MAX_BYTES`."""

    facility: int
    hostname: str
    enterprise: int
    version: str
    max_bytes: int = MAX_BYTES


def encode(entry: Entry, header: Header, sequence_id: int) -> bytes:
    """The message; `sequence_id` (1 to 2**31 - 1) counts what this sender wrote (RFC 5424, 7.3.1).

    Values of fields, and the text, are cut only where the message would be too long.
    """
    fields = {key: _one_line(value) for key, value in entry.fields.items()}
    text = _one_line(entry.text)
    whole = _start(entry, header, sequence_id, fields) + text.encode()
    if len(whole) <= header.max_bytes:
        return whole
    longest = header.max_bytes // (4 * max(1, len(fields)))  # escaped, they are half of it at most
    start = _start(entry, header, sequence_id, _bounded(fields, longest))
    return start + cut(text, header.max_bytes - len(start)).encode()


def frame(message: bytes) -> bytes:
    """The message with its length in front."""
    return f"{len(message)} ".encode() + message


def _start(entry: Entry, header: Header, sequence_id: int, fields: Mapping[str, str]) -> bytes:
    """All that stands before the text."""
    priority = header.facility * 8 + SEVERITIES[entry.severity]
    head = f"<{priority}>1 {rfc3339(entry.time_ns)} {header.hostname} roomtone {_NIL} {_msgid(entry.kind)} "
    data = (
        _element(f"roomtone@{header.enterprise}", fields)
        + _element("origin", {"software": "roomtone", "swVersion": header.version})
        + _element("meta", {"sequenceId": str(sequence_id)})
    )
    return f"{head}{data} ".encode() + _BOM


def _bounded(fields: Mapping[str, str], longest: int) -> dict[str, str]:
    """An equal share for each: a long value takes nothing from another one."""
    return {key: cut(value, longest) for key, value in fields.items()}


def _element(name: str, fields: Mapping[str, str]) -> str:
    parameters = "".join(f' {key}="{_ESCAPED.sub(_backslash, value)}"' for key, value in fields.items())
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
