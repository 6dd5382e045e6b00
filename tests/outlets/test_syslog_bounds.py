"""No message is longer than a collector takes as one: what it splits off would be a message of its own."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.events import Severity
from service.outlets.settings import OutletSettings
from service.outlets.syslog.cutting import MARK, cut
from service.outlets.syslog.message import LEAST_MAX_BYTES, MAX_BYTES, Entry, Header, encode
from service.outlets.syslog.settings import SyslogSettings
from service.settings import Settings
from service.store.audit import record
from service.store.engine import open_store
from service.store.outlets import cursors
from tests.outlets.rsyslog import Rsyslog
from tests.outlets.site import OutletsThread
from tests.service.running import wait_for

FORGED = "<129>1 2026-11-21T00:00:00Z dc1 sshd - - - root logged in from 10.6.6.6 "
NAMES = (
    "id",
    "sequence",
    "severity",
    "room",
    "alert_id",
    "rule",
    "task",
    "link",
    "source",
    "reason",
    "actor",
)


@pytest.mark.parametrize("max_bytes", [LEAST_MAX_BYTES, 3001, MAX_BYTES])
@pytest.mark.parametrize("letter", ["x", '"', "\\", "\u00fc", "\u6f22", "\U0001f6aa", "\n", "\ud800"])
def test_whatever_is_long_is_cut(letter: str, max_bytes: int) -> None:
    header = Header(23, "h" * 255, 2**32 - 1, "1" * 300, max_bytes)
    fields = dict.fromkeys([*NAMES, "webhook"], letter * 5000)
    message = encode(Entry(0, Severity.INFO, "k" * 99, fields, letter * 20_000), header, 2**31 - 1)
    assert max_bytes - 4 <= len(message) <= max_bytes, "full, but for what is left of a letter"
    text = message.decode()
    assert text.endswith(MARK)
    assert all(f' {name}="' in text for name in fields), "none takes another's place"
    assert text.count(MARK + '"') >= len(fields)


def test_what_fits_is_left_alone() -> None:
    header = Header(16, "host", 32473, "1", LEAST_MAX_BYTES)
    entry = Entry(0, Severity.INFO, "kind", {"id": "a-1", "reason": "b" * 200}, "")
    room = LEAST_MAX_BYTES - len(encode(entry, header, 1))
    whole = Entry(0, Severity.INFO, "kind", entry.fields, "t" * room)
    assert encode(whole, header, 1).endswith(b"\xbft" + b"t" * (room - 1))
    assert b"(cut)" in encode(Entry(0, Severity.INFO, "kind", entry.fields, "t" * (room + 1)), header, 1)


def test_whole_letters_are_kept() -> None:
    assert cut("\u6f22" * 6, 18) == "\u6f22" * 6
    assert cut("\u6f22" * 7, 17) == "\u6f22" * 2 + MARK
    assert cut("\u6f22" * 7, 19) == "\u6f22" * 3 + MARK


def test_nobody_writes_a_message_into_a_message(tmp_path: Path) -> None:
    """rsyslog as it is packaged splits at 8096 bytes; what stands there is chosen by who changes a room."""
    (tmp_path / "collector").mkdir()
    with Rsyslog(tmp_path / "collector") as collector:
        syslog = SyslogSettings(
            host="localhost", port=collector.port, ca_file=collector.certificate, audit=True
        )
        settings = Settings(data_dir=tmp_path, outlets=OutletSettings(syslog=syslog))
        store = open_store(settings.store_url)
        with OutletsThread(settings):
            wait_for(lambda: "syslog.audit" in cursors(store), "the cursor")
            details: list[dict[str, Any]] = [{"tags": FORGED * 300}, {"tags": "\u6f22" * 4000}, {}]
            for detail in details:
                with store.write() as connection:
                    record(connection, actor="key:a", action="room.changed", target="lab", detail=detail)
            wait_for(lambda: len(collector.messages()) >= 3, "the messages")
        told = collector.messages()
        assert [(one["app"], one["msgid"]) for one in told] == [("roomtone", "audit.room.changed")] * 3
        assert [one["text"].endswith(MARK) for one in told] == [True, True, False]
        store.close()


def test_a_bound_below_what_every_receiver_takes_is_refused() -> None:
    assert SyslogSettings(host="h", max_bytes=LEAST_MAX_BYTES).max_bytes == LEAST_MAX_BYTES
    with pytest.raises(ValidationError, match="greater than or equal to 2048"):
        SyslogSettings(host="h", max_bytes=LEAST_MAX_BYTES - 1)
