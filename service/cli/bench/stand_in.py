"""The two ends of `bench live`, each a process of its own: who sends datagrams, and who takes the blocks."""

import socket
import time
from multiprocessing.connection import Connection

from drivers.wire import Grant, Header, Hello
from service.bus.zmq import ZmqIngest

WINDOW = 64
_BURST_S = 0.002  # sleeping more exactly than this costs more than it tells


def take_blocks(pipe: "Connection[str, bool]") -> None:
    """Grant credit for everything that comes; tells its endpoint, ends when told to."""
    with ZmqIngest("tcp://127.0.0.1:*") as ingest:
        pipe.send(ingest.endpoint)
        while not pipe.poll():
            for delivery in ingest.poll(0.1):
                message = delivery.message
                if isinstance(message, Hello):
                    ingest.reply(delivery.peer, Grant("bench", message.session, message.published, WINDOW))
                elif isinstance(message, tuple):
                    header: Header = message[0]
                    processed = header.first + header.count
                    ingest.reply(delivery.peer, Grant("bench", header.session, processed, WINDOW))


def send_datagrams(port: int, datagrams: list[bytes], rate_hz: float, seconds: float) -> None:
    """Send one datagram after the other to a UDP port on loopback, at a steady rate on the whole."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        started, sent, wanted = time.monotonic(), 0, round(rate_hz * seconds)
        while sent < wanted:
            due = min(round((time.monotonic() - started) * rate_hz), wanted)
            for number in range(sent, due):
                sock.sendto(datagrams[number % len(datagrams)], ("127.0.0.1", port))
            sent = due
            time.sleep(_BURST_S)
