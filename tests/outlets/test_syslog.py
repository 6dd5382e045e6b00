"""Syslog over TLS, read back by rsyslogd; and the form of messages, byte by byte."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.certificate import own_certificate
from service.errors import ServiceError
from service.events import EventType, Severity
from service.outlets.port import OutletError
from service.outlets.settings import OutletSettings
from service.outlets.syslog.message import Entry, Header, encode, frame
from service.outlets.syslog.outlet import make
from service.outlets.syslog.settings import SyslogSettings
from service.settings import Settings
from service.store.audit import record
from service.store.engine import Store, open_store
from service.store.eventlog import read_events
from service.store.outlets import cursors
from tests.outlets.rsyslog import Rsyslog
from tests.outlets.site import OutletsThread, append
from tests.service.running import wait_for

HEADER = Header(16, "host", 32473, "1.0")


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Rsyslog]:
    folder = tmp_path / "collector"
    folder.mkdir()
    with Rsyslog(folder) as running:
        yield running


def site(folder: Path, port: int, **more: Any) -> Settings:
    syslog = SyslogSettings(host="localhost", port=port, **more)
    return Settings(data_dir=folder, outlets=OutletSettings(syslog=syslog))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(data_dir=tmp_path).store_url)
    yield opened
    opened.close()


def field(message: dict[str, Any], name: str) -> str:
    found = re.search(rf' {name}="((?:[^"\\\]]|\\.)*)"', message["data"])
    assert found is not None, message
    return found[1]


def ids(collector: Rsyslog) -> list[str]:
    return [field(message, "id") for message in collector.messages()]


def test_alerts_and_audit_entries_survive_a_killed_collector(
    tmp_path: Path, collector: Rsyslog, store: Store
) -> None:
    settings = site(
        tmp_path, collector.port, ca_file=collector.certificate, audit=True, min_severity="warning"
    )
    append(store)  # before the outlet ever ran: not told
    with OutletsThread(settings):
        wait_for(lambda: begun(store), "the cursors")
        first = append(store, 100, reason='"quoted" \\ ] and\nbroken \u00fc', after={"value": "occupied"})
        with store.write() as connection:
            record(connection, actor="key:abc", action="room.changed", target="lab", detail={"revision": 2})
        wait_for(lambda: ids(collector), "the first message")
        collector.kill()
        during = append(store, 100)
        collector.start()
        after = append(store, 100)
        append(store, source="simulated")
        append(store, severity=Severity.INFO)
        append(store, kind=EventType.LINK_LOST)
        after += append(store)  # whatever else were told would have come before
        wanted = {str(number) for number in first + during + after}
        wait_for(lambda: wanted <= {one.rpartition("-")[2] for one in ids(collector)}, "all messages")
        wait_for(lambda: any("-audit-" in one for one in ids(collector)), "the audit entry")
    told = collector.messages()
    numbers = {one.rpartition("-")[2] for one in ids(collector) if "-audit-" not in one}
    assert numbers == wanted, "nothing but these, whatever came twice"
    alert = told[0]
    assert (alert["priority"], alert["app"], alert["msgid"]) == (str(16 * 8 + 4), "roomtone", "alert.raised")
    assert field(alert, "room") == "lab"
    assert field(alert, "reason") == '\\"quoted\\" \\\\ \\] and broken \u00fc'
    assert alert["text"].endswith("alert.raised in room lab by rule occupied: presence is occupied")
    audit = next(message for message in told if "-audit-" in field(message, "id"))
    assert (audit["msgid"], field(audit, "actor"), field(audit, "target")) == (
        "audit.room.changed",
        "key:abc",
        "lab",
    )


def begun(store: Store) -> bool:
    return {"syslog", "syslog.audit"} <= set(cursors(store))


async def test_a_collector_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, collector: Rsyslog, store: Store
) -> None:
    stranger = tmp_path / "stranger.pem"
    own_certificate(stranger, tmp_path / "stranger.key", name="stranger", hosts=["localhost"])
    outlet = make(site(tmp_path, collector.port, ca_file=stranger), store)
    with pytest.raises(OutletError, match="certificate verify failed"):
        await outlet.__aenter__()
    other = make(
        site(tmp_path, collector.port, ca_file=collector.certificate, server_name="b.example"), store
    )
    with pytest.raises(OutletError, match=r"not valid for 'b\.example'"):
        await other.__aenter__()


async def test_a_collector_that_asks_gets_our_certificate(tmp_path: Path, store: Store) -> None:
    ours, key = tmp_path / "site.pem", tmp_path / "site.key"
    own_certificate(ours, key, name="site", hosts=["site.example"])
    refused, taken = append(store, 2)
    with Rsyslog(tmp_path, sender=ours) as strict:
        for number, shown in ((refused, {}), (taken, {"cert_file": ours, "key_file": key})):
            outlet = make(site(tmp_path, strict.port, ca_file=strict.certificate, **shown), store)
            with suppress(OutletError):  # with TLS 1.3 a sender may hear of the refusal only later
                async with outlet:
                    await outlet.deliver(read_events(store, after=number - 1, limit=1).events)
        await asyncio.to_thread(wait_for, strict.messages, "the message of who showed one")
        assert [field(message, "sequence") for message in strict.messages()] == [str(taken)]


def test_a_message_is_as_rfc_5424_writes_it() -> None:
    entry = Entry(1_500_000_000_123_000_000, Severity.CRITICAL, "alert.raised", {"id": 'a"]\\'}, "R\u00fcm\n")
    message = encode(entry, HEADER, 7)
    assert message == (
        b"<130>1 2017-07-14T02:40:00.123Z host roomtone - alert.raised "
        b'[roomtone@32473 id="a\\"\\]\\\\"][origin software="roomtone" swVersion="1.0"][meta sequenceId="7"] '
        b"\xef\xbb\xbfR\xc3\xbcm "
    )
    assert frame(message) == str(len(message)).encode() + b" " + message


def test_a_kind_that_is_no_msgid_is_made_one() -> None:
    text = encode(Entry(0, Severity.INFO, "x y\u00fc" + "z" * 50, {}, ""), HEADER, 1).decode()
    assert text.split(" ")[5] == "xy" + "z" * 30
    assert " - - [" in encode(Entry(0, Severity.INFO, "\u00fc", {}, ""), HEADER, 1).decode()


def test_settings_that_would_send_in_clear_text_are_refused() -> None:
    with pytest.raises(ValidationError, match="without TLS everybody"):
        SyslogSettings(host="10.0.0.1", tls=False)
    with pytest.raises(ValidationError, match="go together"):
        SyslogSettings(host="10.0.0.1", cert_file=Path("c.pem"))
    assert SyslogSettings(host="127.0.0.1", tls=False).port == 6514


@pytest.mark.parametrize(
    ("more", "message"),
    [({"ca_file": Path("missing.pem")}, "cannot be used"), ({"types": ("nonsense",)}, "no event type")],
)
def test_settings_that_cannot_work_are_told(
    tmp_path: Path, store: Store, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError, match=message):
        make(site(tmp_path, 6514, **more), store)
