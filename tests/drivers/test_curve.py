"""CURVE from sender to ingest: who is enrolled comes in, for its own link; who is not hears why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from drivers.curve import ENVIRONMENT, CurveKeys
from drivers.errors import DeliveryError
from drivers.sender import Sender
from drivers.wire import Grant, Hello, Source
from service.bus.curve import CurveFolder
from service.bus.zmq import ZmqIngest
from tests.drivers.intel import make_block
from tests.drivers.receiver import Receiver, wait_for

BLOCK = make_block(10)


@pytest.fixture
def folder(tmp_path: Path) -> CurveFolder:
    return CurveFolder(tmp_path / "curve")


@pytest.fixture
def ingest(folder: CurveFolder) -> Iterator[ZmqIngest]:
    with ZmqIngest("tcp://127.0.0.1:*", folder) as open_:
        yield open_


def sender(endpoint: str, curve: CurveKeys | None, link: str = "l1") -> Sender:
    return Sender(endpoint, link=link, nic="intel5300", source=Source.LIVE, curve=curve)


def served(ingest: ZmqIngest, *senders: Sender) -> list[str]:
    """Links whose messages come out while everybody talks for one turn; hellos are granted."""
    came = []
    for one in senders:
        one.pump()
    for delivery in ingest.poll(0.02):
        message = delivery.message
        head = message[0] if isinstance(message, tuple) else message
        came.append(head.link)
        if isinstance(message, Hello):
            ingest.reply(delivery.peer, Grant("service", head.session, 0, 8))
    return came


def test_frames_of_an_enrolled_link_arrive(folder: CurveFolder, ingest: ZmqIngest) -> None:
    with sender(ingest.endpoint, folder.enrol("l1")) as enrolled:
        wait_for(lambda: served(ingest, enrolled) and enrolled.granted, "a grant")
        assert enrolled.send(BLOCK)
        wait_for(lambda: enrolled.published == 10 and served(ingest, enrolled), "the block")
        assert enrolled.trouble is None


def test_keys_of_the_site_itself_deliver_any_link(folder: CurveFolder, ingest: ZmqIngest) -> None:
    with sender(ingest.endpoint, folder.local_keys(), "demo-1") as local:
        wait_for(lambda: "demo-1" in served(ingest, local), "the hello")


def test_an_unknown_key_is_told_so_and_comes_in_once_enrolled(
    folder: CurveFolder, ingest: ZmqIngest, tmp_path: Path
) -> None:
    stranger = CurveFolder(tmp_path / "other").enrol("l1")
    keys = CurveKeys(folder.server_keys()[0], stranger.public, stranger.secret)
    with sender(ingest.endpoint, keys) as waiting:
        wait_for(lambda: served(ingest, waiting) or waiting.trouble, "the handshake")
        assert waiting.trouble is not None
        assert "does not know this key" in waiting.trouble
        (tmp_path / "other" / "clients" / "l1.json").rename(folder.path / "l1.json")
        (folder.path / "clients").mkdir()
        (folder.path / "l1.json").rename(folder.path / "clients" / "l1.json")
        wait_for(lambda: served(ingest, waiting) and waiting.granted, "a grant without a restart")
        assert waiting.trouble is None


@pytest.mark.parametrize("kind", ["another service's key", "no key", "a key where none is wanted"])
def test_connect_says_what_does_not_fit(
    folder: CurveFolder, ingest: ZmqIngest, tmp_path: Path, kind: str
) -> None:
    other = CurveFolder(tmp_path / "other").enrol("l1")
    with Receiver() as plain:
        endpoint = plain.endpoint if "none is wanted" in kind else ingest.endpoint
        curve = None if kind == "no key" else other
        with (
            sender(endpoint, curve) as wrong,
            pytest.raises(DeliveryError, match="the handshake fails"),
        ):
            wrong.connect()


def test_a_key_delivers_its_own_link_only(folder: CurveFolder, ingest: ZmqIngest) -> None:
    with sender(ingest.endpoint, folder.enrol("l1"), "l2") as thief:
        wait_for(lambda: served(ingest, thief) or thief.refusal, "a refusal")
        assert thief.refusal is not None
        assert thief.refusal.reason == "foreign_key"
        assert not thief.granted
    assert ingest.rejected["foreign_key"]


def test_a_key_that_is_replaced_ends_while_it_is_connected(folder: CurveFolder, ingest: ZmqIngest) -> None:
    with sender(ingest.endpoint, folder.enrol("l1")) as old:
        wait_for(lambda: served(ingest, old) and old.granted, "a grant")
        new = folder.enrol("l1")
        wait_for(lambda: [served(ingest, old), old.refusal][1], "the old key's refusal")
        with sender(ingest.endpoint, new) as fresh:
            wait_for(lambda: served(ingest, fresh) and fresh.granted, "a grant for the new one")


def test_secrets_are_kept_for_their_owner_only(folder: CurveFolder) -> None:
    keys = folder.enrol("l1")
    folder.local_keys()
    for file in folder.path.rglob("*.*"):
        assert file.stat().st_mode & 0o077 == 0, file
    secret = keys.secret.decode()
    assert not any(secret in file.read_text() for file in folder.path.rglob("*") if file.is_file())
    assert secret not in repr(keys)
    assert folder.path.stat().st_mode & 0o077 == 0


def test_keys_travel_as_text(folder: CurveFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = folder.enrol("l1")
    assert CurveKeys.from_text(keys.text) == keys
    assert keys.public == zmq.curve_public(keys.secret)
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert CurveKeys.from_environment() is None
    monkeypatch.setenv(ENVIRONMENT, keys.text)
    assert CurveKeys.from_environment() == keys


@pytest.mark.parametrize("text", ["", "ab", "zz" * 64, "00" * 63])
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="128 hexadecimal digits"):
        CurveKeys.from_text(text)
