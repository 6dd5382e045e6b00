"""The TLS source against whoever may connect: strangers, slow ones, liars, a forwarder that comes twice."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import intel5300
from drivers.errors import SourceError
from drivers.live import open_source, tls, tls_peer
from drivers.live.enrolment import enrol, load
from drivers.live.forwarded import MAX_RECORD, ForwardError, Messages, Run, read_greeting
from tests.deploy.forwarder import Adapter, wait_for
from tests.drivers.intel import records

RECORDS = records(6)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body)) + body


def record(body: bytes) -> bytes:
    return message(b"R", bytes(4) + body)


def counts(sent: int = 0, dropped: int = 0, enobufs: int = 0) -> bytes:
    return f"sent={sent} dropped={dropped} enobufs={enobufs}".encode()


class Peer:
    """A TLS client that says what the test wants."""

    def __init__(self, adapter: Adapter) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", adapter.port), 30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what was said has arrived
        self.sock = context.wrap_socket(plain)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def greet(
        self, kind: str, secret: str, *, run: str = "r1", link: str = "l1", nic: str = "intel5300"
    ) -> str:
        self.sock.sendall(f"roomtone-forward 1 {kind} {secret} {nic} {link} {run}\n".encode())
        return self.hear()

    def begin(self, adapter: Adapter, before: bytes = counts(), **words: str) -> str:
        """Spend the token; the session's secret."""
        kind, secret = self.greet("token", adapter.token, **words).split()
        assert kind == "session"
        self.sock.sendall(message(b"A", b"") + message(b"B", before))
        return secret

    def hear(self) -> str:
        """What the source says before a newline or the end."""
        said = b""
        while not said.endswith(b"\n") and (piece := self.sock.recv(1)):
            said += piece
        return said.decode().strip()


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    with Adapter(tmp_path / "enrolment") as listening:
        yield listening


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(tls_peer, "GREET_WITHIN_S", 0.2)
    monkeypatch.setattr(tls, "SILENCE_S", 0.3)


def test_a_forwarder_that_comes_again_takes_the_place_of_the_old_one(adapter: Adapter) -> None:
    with Peer(adapter) as old, Peer(adapter) as new:
        secret = old.begin(adapter)
        wait_for(lambda: load(adapter.folder).token_used, "the secret to be kept")
        old.sock.sendall(record(RECORDS[0]) + record(RECORDS[1]))
        assert new.greet("session", secret) == "ok"
        new.sock.sendall(message(b"B", counts(sent=2)) + record(RECORDS[2]))
        assert old.hear() == ""
        wait_for(lambda: adapter.frames == 3, "three records")
    assert adapter.data == b"".join(RECORDS[:3])
    assert not +adapter.source.lost


def test_a_token_is_spent_when_its_secret_is_kept_and_not_before(adapter: Adapter) -> None:
    with Peer(adapter) as cut_off:
        assert cut_off.greet("token", adapter.token).startswith("session ")
    with Peer(adapter) as again:
        again.begin(adapter)
        wait_for(lambda: load(adapter.folder).token_used, "the token to be spent")
    with Peer(adapter) as thief:
        assert thief.greet("token", adapter.token) == "refused used_token"


def test_of_two_with_the_same_token_the_first_to_keep_its_secret_wins(adapter: Adapter) -> None:
    with Peer(adapter) as one, Peer(adapter) as two:
        assert one.greet("token", adapter.token).startswith("session ")
        assert two.greet("token", adapter.token).startswith("session ")
        two.sock.sendall(message(b"A", b""))
        wait_for(lambda: load(adapter.folder).token_used, "the token to be spent")
        one.sock.sendall(message(b"A", b""))
        assert one.hear() == "refused used_token"


def test_losses_are_counted_once_over_connections_and_adapters(adapter: Adapter) -> None:
    with Peer(adapter) as first:
        secret = first.begin(adapter)
        first.sock.sendall(
            message(b"C", counts(0, 3, 1)) + message(b"C", counts(0, 5, 1)) + record(RECORDS[0])
        )
        wait_for(lambda: adapter.frames == 1, "a record")
    with Peer(adapter) as second:
        assert second.greet("session", secret) == "ok"
        second.sock.sendall(
            message(b"B", counts(4, 6, 1)) + message(b"C", counts(4, 7, 1)) + record(RECORDS[1])
        )
        wait_for(lambda: adapter.frames == 2, "another")
    wanted = {"forwarder_queue": 7, "socket_overflow": 1, "connection_lost": 3}
    assert +adapter.source.lost == wanted
    adapter.stop()
    adapter.start()  # a new adapter takes what the one before it was told as given
    with Peer(adapter) as third:
        assert third.greet("session", secret) == "ok"
        third.sock.sendall(
            message(b"B", counts(9, 7, 1)) + message(b"C", counts(9, 9, 1)) + record(RECORDS[2])
        )
        wait_for(lambda: adapter.frames == 3, "a third")
    assert +adapter.source.lost == {"forwarder_queue": 2}


def test_a_dead_forwarder_is_given_up(adapter: Adapter, impatient: None) -> None:
    with Peer(adapter) as silent:
        silent.begin(adapter)
        assert silent.hear() == ""
    wait_for(lambda: adapter.source.trouble, "the trouble to be told")


def test_slow_strangers_are_refused_and_the_rest_goes_on(adapter: Adapter, impatient: None) -> None:
    with Peer(adapter) as mute, socket.create_connection(("127.0.0.1", adapter.port)) as no_tls:
        assert mute.hear() == "refused too_slow"
        assert no_tls.recv(1) == b""
        with Peer(adapter) as enrolled:
            enrolled.begin(adapter)
            enrolled.sock.sendall(record(RECORDS[0]))
            wait_for(lambda: adapter.frames == 1, "the record")
    wait_for(lambda: adapter.source.ignored["too_slow"] == 2, "both to be counted")


def test_a_crowd_of_strangers_keeps_nobody_out(adapter: Adapter) -> None:
    crowd = [socket.create_connection(("127.0.0.1", adapter.port)) for _ in range(3 * tls.MAX_STRANGERS)]
    with Peer(adapter) as enrolled:
        enrolled.begin(adapter)
        enrolled.sock.sendall(record(RECORDS[0]))
        wait_for(lambda: adapter.frames == 1, "the record")
    for sock in crowd:
        sock.close()
    assert adapter.source.ignored["too_many"] >= tls.MAX_STRANGERS


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad_greeting"),
        (b"x" * 4096, "bad_greeting"),
        (b"roomtone-forward 1 token a b\n", "bad_greeting"),
        (b"roomtone-forward 2 anything else\n", "version"),
        (b"roomtone-forward 1 password a intel5300 l1 r\n", "bad_greeting"),
        (b"\xff\xfe\x00\n", "bad_greeting"),
    ],
)
def test_who_says_something_else_is_refused(adapter: Adapter, said: bytes, reason: str) -> None:
    with Peer(adapter) as stranger:
        stranger.sock.sendall(said)
        assert stranger.hear() == f"refused {reason}"
    wait_for(lambda: adapter.source.ignored[reason] == 1, "the refusal to be counted")


@pytest.mark.parametrize(
    "lie",
    [
        message(b"Z", b""),
        b"R" + struct.pack(">I", 2**32 - 1),
        b"R" + struct.pack(">I", MAX_RECORD + 5),
        message(b"R", b"1234"),
        message(b"A", b""),
        message(b"C", b"sent=" + b"9" * 16),
        b"C" + struct.pack(">I", 10_000),
    ],
)
def test_a_message_that_lies_ends_the_connection_and_costs_nothing_else(adapter: Adapter, lie: bytes) -> None:
    with Peer(adapter) as liar:
        secret = liar.begin(adapter)
        liar.sock.sendall(record(RECORDS[0]) + lie)
        assert liar.hear() == "refused bad_message"
        with Peer(adapter) as again:
            assert again.greet("session", secret) == "ok"
            again.sock.sendall(message(b"B", counts(1)) + record(RECORDS[1]))
            wait_for(lambda: adapter.frames == 2, "the good records")
    assert adapter.data == b"".join(RECORDS[:2])


def test_an_enrolment_that_is_gone_refuses(adapter: Adapter) -> None:
    (adapter.folder / "enrolment.json").unlink()
    with Peer(adapter) as orphan:
        assert orphan.greet("token", adapter.token) == "refused not_enrolled"


def test_an_old_tls_is_refused(adapter: Adapter) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", adapter.port)) as sock,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(sock)
    wait_for(lambda: adapter.source.ignored["no_tls"], "the refusal to be counted")


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--enrolment"):
        open_source("tls:127.0.0.1:0", intel5300)
    with pytest.raises(SourceError, match="links enroll"):
        open_source("tls:127.0.0.1:0", intel5300, enrolment=tmp_path)
    with pytest.raises(SourceError, match="no address"):
        open_source("tls:somewhere", intel5300, enrolment=tmp_path)
    folder = tmp_path / "esp"
    Adapter(folder, nic="esp32")
    with pytest.raises(SourceError, match="enrolled for NIC esp32"):
        open_source("tls:127.0.0.1:0", intel5300, enrolment=folder)
    enrol(folder, link="l1", nic="intel5300", port=0)
    with open_source("tls:127.0.0.1:0", intel5300, enrolment=folder) as source:
        assert source.read() == b""
        with pytest.raises(SourceError, match="cannot listen"):
            open_source(f"tls:127.0.0.1:{source.port}", intel5300, enrolment=folder)  # type: ignore[attr-defined]


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=20))
@settings(deadline=None, max_examples=200)
def test_arbitrary_bytes_are_messages_or_an_error_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes]], bool]:
        messages = Messages()
        found: list[tuple[bytes, bytes]] = []
        try:
            for piece in pieces:
                found += messages.feed(piece)
        except ForwardError:
            return found, False
        return found, True

    pieces, at = [], 0
    for size in cuts:
        pieces.append(data[at : at + size])
        at += size
    cut, whole = outcome([*pieces, data[at:]]), outcome([data])
    assert cut[1] == whole[1]
    assert not whole[1] or cut[0] == whole[0]


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_no_greeting(data: bytes) -> None:
    with pytest.raises(ForwardError, match=r"^(bad_greeting|version)$"):
        read_greeting(data)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50), st.integers(0, 50)), max_size=20))
@settings(deadline=None)
def test_counts_never_go_back(told: list[tuple[bool, int, int]]) -> None:
    run, total = Run("r"), 0
    for is_new_connection, sent, dropped in told:
        lost = run.resume(counts(sent, dropped)) if is_new_connection else run.count(counts(sent, dropped))
        assert all(count >= 0 for count in lost.values())
        total += lost["forwarder_queue"]
    assert total <= max((dropped for _, _, dropped in told), default=0)


def test_nothing_is_left_running(tmp_path: Path) -> None:
    before = threading.active_count()
    with Adapter(tmp_path / "enrolment"):
        pass
    assert threading.active_count() == before
