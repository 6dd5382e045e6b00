"""A stream that cannot connect says so: at once where trying again would not help, else once in the log."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import roomtone_client as rt
from roomtone_client.follow import Follower
from service.certificate import own_certificate
from tests.ports import free_port

QUICK = rt.Retry(attempts=2, first_s=0.01, longest_s=0.02)


@contextmanager
def stranger(folder: Path) -> Iterator[str]:
    """URL of a server with a certificate that nobody vouches for."""
    certificate, key = folder / "c.pem", folder / "c.key"
    own_certificate(certificate, key, name="stranger", hosts=["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, context))
        thread.start()
        yield f"https://localhost:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def serve(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()


def test_a_certificate_that_nobody_vouches_for_ends_the_stream(tmp_path: Path) -> None:
    with (
        stranger(tmp_path) as url,
        rt.Client(url, "rt_x", retry=QUICK) as client,
        pytest.raises(rt.ConnectionFailedError, match="certificate verify failed"),
    ):
        next(client.stream())


async def test_so_it_does_for_asyncio(tmp_path: Path) -> None:
    with stranger(tmp_path) as url:
        async with rt.AsyncClient(url, "rt_x", retry=QUICK) as client:
            with pytest.raises(rt.ConnectionFailedError, match="certificate verify failed"):
                await anext(client.stream())


class EnoughError(Exception):
    """Ends a stream that would go on for ever."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """A stream pauses five times."""
    seen: list[None] = []

    def pause_s(_: Follower) -> float:
        if len(seen) == 5:
            raise EnoughError
        seen.append(None)
        return 0.0

    monkeypatch.setattr(Follower, "pause_s", pause_s)
    return seen


def follow_sync(url: str) -> None:
    with rt.Client(url, "rt_x") as client:
        next(client.stream())


def follow_async(url: str) -> None:
    async def follow() -> None:
        async with rt.AsyncClient(url, "rt_x") as client:
            await anext(client.stream())

    asyncio.run(follow())


@pytest.mark.parametrize("follow", [follow_sync, follow_async])
def test_a_service_that_is_not_there_is_told_once(
    follow: Callable[[str], None], pauses: list[None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "roomtone_client")
    with pytest.raises(EnoughError):
        follow(f"http://127.0.0.1:{free_port()}")
    assert len(pauses) == 5
    (told,) = [record.getMessage() for record in caplog.records if record.name == "roomtone_client"]
    assert told.startswith("no connection to the stream, trying again until there is one: ")
    assert "refused" in told or "Connect call failed" in told


def test_it_is_told_anew_after_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "roomtone_client")
    follower = Follower(None, None, None, None, rt.Retry())
    for error in (OSError("first"), EOFError()):
        follower.unreachable(error)
    for _ in range(2):
        follower.take('{"type": "reset", "reason": "x"}')
    follower.unreachable(EOFError())
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "first",
        "connected to the stream again",
        "EOFError",
    ]
