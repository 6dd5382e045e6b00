"""Many reads a second at a steady pace, over connections that stay open; a process of its own.

Latency counts from when a read was due, not from when it was sent: a server that stalls is charged with all
reads that had to wait behind (Tene's coordinated omission).
"""

import asyncio
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read: `paths` in turn, `rate` times a second for `seconds`."""

    port: int
    key: str
    paths: list[str]
    rate: float
    seconds: float


@dataclass(slots=True)
class Answers:
    """Latencies of answers in ms, and how many were not 200."""

    ms: list[float] = field(default_factory=list)
    failed: int = 0


def read_steadily(reads: Reads, pipe: "Connection[Answers, None]") -> None:
    """Read and tell; the entry of the process."""
    pipe.send(asyncio.run(_read(reads)))


async def _read(reads: Reads) -> Answers:
    answers, due = Answers(), asyncio.Queue[tuple[float, str]]()
    readers = [asyncio.create_task(_reader(reads, due, answers)) for _ in range(CONNECTIONS)]
    began, total = time.monotonic(), round(reads.rate * reads.seconds)
    for number in range(total):
        at = began + number / reads.rate
        if (wait := at - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, reads.paths[number % len(reads.paths)]))
    await due.join()
    for one in readers:
        one.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return answers


async def _reader(reads: Reads, due: "asyncio.Queue[tuple[float, str]]", answers: Answers) -> None:
    """One connection; HTTP is written by hand, so that a client library is not what is measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", reads.port)
    head = f"Host: 127.0.0.1:{reads.port}\r\nAuthorization: Bearer {reads.key}\r\n\r\n"
    try:
        while True:
            at, path = await due.get()
            writer.write(f"GET {path} HTTP/1.1\r\n{head}".encode())
            status = await _answer(reader)
            answers.ms.append(1000 * (time.monotonic() - at))
            answers.failed += status != 200
            due.task_done()
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    """Status of the next answer; its body is read and thrown away."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
