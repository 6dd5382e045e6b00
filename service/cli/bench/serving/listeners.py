"""Many clients of the alert stream in one process, and one that stalls."""

import asyncio
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SENT_NS, LAST = "sent_ns", "last"
"""In an event's data: when it was written, and that no more follow."""
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Listeners:
    """Clients of the stream at this port; `stalled` more subscribe and then take nothing."""

    port: int
    key: str
    clients: int
    stalled: int = 0


@dataclass(slots=True)
class Heard:
    """What all clients got.

    Attributes:
        ms: from writing an event to its arrival, each client's.
        missing: numbers left out between events, over all clients.
        doubled: numbers that came again.
        closed: close codes of clients that stalled, with their reasons.
    """

    ms: list[float] = field(default_factory=list)
    missing: int = 0
    doubled: int = 0
    closed: list[tuple[int, str]] = field(default_factory=list)


class _Data(msgspec.Struct):
    sent_ns: int = 0
    number: int = 0
    last: bool = False


class _Event(msgspec.Struct):
    data: _Data


_decoder = msgspec.json.Decoder(_Event)


def listen(wanted: Listeners, pipe: "Connection[str | Heard, bool]") -> None:
    """Subscribe all, say so, listen until the last event, tell; the entry of a process of its own."""
    asyncio.run(_listen(wanted, pipe))


async def _listen(wanted: Listeners, pipe: "Connection[str | Heard, bool]") -> None:
    heard = Heard()
    open_ones = [await _subscribed(wanted) for _ in range(wanted.clients)]
    stalled = [await _subscribed(wanted, small=True) for _ in range(wanted.stalled)]
    pipe.send("subscribed")
    await asyncio.gather(*(_follow(one, heard) for one in open_ones))
    for one in stalled:
        heard.closed.append(await _end_of(one))
    pipe.send(heard)


async def _subscribed(wanted: Listeners, *, small: bool = False) -> ClientConnection:
    """A client; with a `small` buffer in the kernel if it is going to stall."""
    line = socket.socket()
    if small:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", wanted.port))
    client = await connect(
        f"ws://127.0.0.1:{wanted.port}/v1/alerts/stream",
        sock=line,
        additional_headers={"Authorization": f"Bearer {wanted.key}"},
        compression=None,
        max_queue=16,
        ping_interval=None,
    )
    await client.send('{"type":"subscribe","types":["alert"]}')  # ours; the API has no worker to hear
    return client


async def _follow(client: ClientConnection, heard: Heard) -> None:
    """Take events until the last one."""
    before = None
    async for text in client:
        data, now = _decoder.decode(text).data, time.time_ns()
        heard.ms.append((now - data.sent_ns) / 1e6)
        if before is not None:
            heard.missing += max(data.number - before - 1, 0)
            heard.doubled += data.number <= before
        before = data.number
        if data.last:
            break
    await client.close()


async def _end_of(client: ClientConnection) -> tuple[int, str]:
    """How the service closed it; (0, "") if it did not."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                await client.recv()
    except ConnectionClosed as closed:
        frame = closed.rcvd
        return (frame.code, frame.reason) if frame is not None else (1006, "")
    except TimeoutError:
        return 0, ""
