#!/usr/bin/env python3
"""Roomtone forwarder: a card's records, from an old host to a Roomtone adapter elsewhere.

One file, standard library only, Python 3.4 and newer. It knows no format: it reads records one by one from
the card's own transport and hands them on, over TLS (certificate pinned, one-time token) or plain UDP (one
datagram is one record). It never holds the card back and never stops on a full buffer: what cannot be kept is
dropped, counted and told to the adapter.

What it speaks over TLS, client first:

    roomtone-forward 1 token|session SECRET NIC LINK RUN\\n     answered with one line:
        session SECRET    the token was taken; the secret is for reconnects (message A says that it is kept)
        ok                the session secret was taken
        refused REASON    and the connection ends
    then messages: one byte of kind, 4 bytes of length (big-endian), body
        A   the session secret is kept                  B   counts up to the end of the last connection
        R   age of the record (4 bytes, us), record     C   counts now; every second
    counts are "sent=N dropped=N enobufs=N" since this program started (RUN names this start).
"""

import argparse
import binascii
import collections
import errno
import hashlib
import os
import random
import signal
import socket
import ssl
import struct
import sys
import threading
import time

VERSION = 1
MAX_RECORD = 65000
BATCH_BYTES = 64 * 1024
TIMEOUT_S = 10.0
COUNTS_EVERY_S = 1.0
TOLD_EVERY_S = 60.0
BACK_OFF_S = (0.5, 30.0)
RECEIVE_BUFFER = 4 * 1024 * 1024
SOL_NETLINK, NETLINK_CONNECTOR, NETLINK_ADD_MEMBERSHIP = 270, 11, 1
CN_INDEX = 11 + 0xF  # CN_NETLINK_USERS (11 since Linux 3.10) + what the CSI tool's kernel adds
NLMSG = struct.Struct("=IH10x")  # linux/netlink.h: length, type
CN_MSG = struct.Struct("=II8xH2x")  # linux/connector.h: index, value, length
TCP_USER_TIMEOUT = 18

EXAMPLES = """examples (`roomtone links enroll` prints the line that fits, with its token):
  Intel 5300 on the kernel's connector, over TLS; the token is spent by the first connection:
    ROOMTONE_TOKEN=... python3 roomtone_forward.py --nic intel5300 --source netlink \\
        --link l1 --to tls://10.0.0.2:5580 --fingerprint 3f2a...
  Atheros on a router:
    ROOMTONE_TOKEN=... python3 roomtone_forward.py --nic atheros --source dev \\
        --link l2 --to tls://10.0.0.2:5581 --fingerprint 3f2a...
  what another tool writes, plain UDP (the adapter marks it unauthenticated):
    log_to_file /dev/stdout | python3 roomtone_forward.py --nic intel5300 --source - --to udp://10.0.0.2:5600
  why no frames come:
    python3 roomtone_forward.py --doctor

sources: netlink[:INDEX], netlink:fd=N (a connector socket opened by another program), dev[:PATH],
  - (standard input), file:PATH (waits instead of dropping), udp:[HOST:]PORT (one datagram is one record)
"""


class ForwardError(Exception):
    """What ends this program, in one line that says what to do."""


class LostError(Exception):
    """The connection ended; it is made again."""


class Counts(object):
    """What became of the records since this program started; told to the adapter."""

    def __init__(self):
        self.sent = 0
        self.dropped = 0
        self.enobufs = 0

    def line(self):
        return "sent={} dropped={} enobufs={}".format(self.sent, self.dropped, self.enobufs)


class Queue(object):
    """Between the reading thread and the sending one: bounded, and the oldest record goes first.

    `patient`: a reader that may wait (a file) does so; else the oldest record makes room, and is counted.
    """

    def __init__(self, size, counts, patient):
        self.counts, self.ended = counts, False
        self._size, self._patient = size, patient
        self._records = collections.deque()
        self._changed = threading.Condition()

    def put(self, record):
        if not record or len(record) > MAX_RECORD:
            self.counts.dropped += 1
            return
        with self._changed:
            while self._patient and len(self._records) >= self._size and not self.ended:
                self._changed.wait(1.0)
            if self.ended:  # told to stop: what comes now is not ours any more
                return
            while len(self._records) >= self._size:
                self._records.popleft()
                self.counts.dropped += 1
            self._records.append((time.monotonic(), record))
            self._changed.notify_all()

    def end(self):
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def take(self, timeout_s):
        """All records that wait, up to a batch; waits for the first one."""
        batch, size = [], 0
        with self._changed:
            if not self._records and not self.ended:
                self._changed.wait(timeout_s)
            while self._records and size < BATCH_BYTES:
                batch.append(self._records.popleft())
                size += len(batch[-1][1])
            self._changed.notify_all()
        return batch

    @property
    def done(self):
        return self.ended and not self._records


# --- Sources: each takes what stands behind its name and gives record after record.


def from_netlink(rest, nic, counts):
    """Data of the connector's messages; a full socket buffer is counted, and reading goes on."""
    del nic
    if rest.startswith("fd="):
        index, sock = CN_INDEX, socket.socket(fileno=number(rest[3:]))
    else:
        index = number(rest) if rest else CN_INDEX
        sock = open_connector(index)
    while True:
        try:
            datagram = sock.recv(65536)
        except InterruptedError:
            continue
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            counts.enobufs += 1
            continue
        if not datagram:
            return
        for record in connector_data(datagram, index):
            yield record


def connector_data(datagram, index):
    """What the messages of our index in one datagram carry; an empty record where a length lies."""
    at, headers = 0, NLMSG.size + CN_MSG.size
    while at < len(datagram):
        if at + headers > len(datagram):
            yield b""
            return
        size = NLMSG.unpack_from(datagram, at)[0]
        found, value, length = CN_MSG.unpack_from(datagram, at + NLMSG.size)
        if size < headers + length or at + size > len(datagram):
            yield b""
            return
        if (found, value) == (index, 1):
            yield datagram[at + headers : at + headers + length]
        at += (size + 3) & ~3


def number(text):
    try:
        return int(text, 0)
    except ValueError:
        raise ForwardError("netlink takes a connector index or fd=N, not {!r}".format(text))


def open_connector(index):
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((0, 0))
        sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, index)
    except OSError as error:
        raise ForwardError(
            "cannot listen on the kernel's connector, index {}: {}; run as root, and see --doctor".format(
                index, error.strerror
            )
        )
    return sock


def from_device(rest, nic, counts):
    """One read is one record; a read of nothing is the driver's time-out, not the end."""
    del nic, counts
    device = os.open(rest or "/dev/CSI_dev", os.O_RDONLY)
    while True:
        try:
            record = os.read(device, 65536)
        except InterruptedError:
            continue
        if record:
            yield record
        else:
            time.sleep(0.01)  # a device that answers at once must not eat the processor


def from_stream(rest, nic, counts):
    """Records of the card's own log: with a length before each, or lines."""
    cut = {"esp32": lines, "intel5300": lengths(">H"), "atheros": lengths("=H")}.get(nic)
    if cut is None:
        raise ForwardError(
            "--source - and file: know logs of intel5300, atheros and esp32, not {}".format(nic)
        )
    # Not sys.stdin: a thread that waits in it would stop the program from ending.
    return cut(open(0, "rb", closefd=False) if rest == "-" else open(rest, "rb"), counts)


def lines(stream, counts):
    del counts
    for line in iter(stream.readline, b""):
        yield line


def lengths(layout):
    def cut(stream, counts):
        while True:
            head = stream.read(2)
            if len(head) < 2:
                return
            size = struct.unpack(layout, head)[0]
            record = stream.read(size)
            if len(record) < size:
                counts.dropped += 1
                return
            yield record

    return cut


def from_udp(rest, nic, counts):
    """Each datagram is a record."""
    del nic, counts
    host, port = address(rest, "0.0.0.0")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.bind((host, port))
    while True:
        try:
            yield sock.recv(65536)
        except InterruptedError:
            continue


def open_source(text, nic, counts):
    """The records, and whether their source bears waiting."""
    if text == "-":
        return from_stream("-", nic, counts), False
    kind, _, rest = text.partition(":")
    known = {"netlink": from_netlink, "dev": from_device, "file": from_stream, "udp": from_udp}
    if kind not in known:
        raise ForwardError("--source {} is of no known kind: -, {}".format(text, ", ".join(sorted(known))))
    return known[kind](rest, nic, counts), kind == "file"


def read_all(records, queue, failures):
    """The reading thread: until the source ends or fails."""
    try:
        for record in records:
            queue.put(record)
    except ForwardError as fault:
        failures.append(str(fault))
    except (OSError, ValueError) as error:
        failures.append("cannot read the source: {}; see --doctor".format(error))
    finally:
        queue.end()


# --- Targets


class ToUdp(object):
    """One datagram a record; nothing tells whether it arrives."""

    def __init__(self, where, counts):
        self.counts = counts
        self.where = where
        found = socket.getaddrinfo(where[0], where[1], 0, socket.SOCK_DGRAM)[0]
        self.sock = socket.socket(found[0], socket.SOCK_DGRAM)
        self.sock.connect(found[4])

    def run(self, queue, stop):
        del stop
        while not queue.done:
            for _, record in queue.take(COUNTS_EVERY_S):
                try:
                    self.sock.send(record)
                    self.counts.sent += 1
                except OSError:  # nobody listens, no buffer, no route: the next one may pass
                    self.counts.dropped += 1


class ToTls(object):
    """A connection with a pinned certificate, made again whenever it ends."""

    def __init__(self, where, arguments, counts):
        self.where, self.nic, self.link, self.counts = where, arguments.nic, arguments.link, counts
        self.fingerprint = arguments.fingerprint.replace(":", "").lower()
        self.token, self.secret_file = arguments.token, arguments.secret_file
        self.run_id = binascii.hexlify(os.urandom(8)).decode()
        self.counts_before = counts.line()
        self.accepted = False

    def run(self, queue, stop):
        wait = BACK_OFF_S[0]
        while not stop.is_set() and not queue.done:
            try:
                sock = self.connect()
            except (OSError, LostError) as error:
                tell("no connection to {}:{}: {}".format(self.where[0], self.where[1], error))
            except ForwardError as fault:
                if not self.accepted:
                    raise
                tell(str(fault))
            else:
                wait = BACK_OFF_S[0]
                self.serve(sock, queue)
                if queue.done:
                    return
            stop.wait(wait * random.uniform(0.7, 1.3))
            wait = min(wait * 2, BACK_OFF_S[1])

    def serve(self, sock, queue):
        try:
            self.deliver(sock, queue)
        except (OSError, LostError) as error:
            tell("connection lost: {}".format(error or "closed"))
        finally:
            self.counts_before = self.counts.line()
            sock.close()

    def connect(self):
        plain = socket.create_connection(self.where, TIMEOUT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sys.platform.startswith("linux"):
                plain.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, int(TIMEOUT_S * 1000))
            sock = tls_context().wrap_socket(plain)
        except Exception:
            plain.close()
            raise
        try:
            self.check(sock)
            self.greet(sock)
        except Exception:
            sock.close()
            raise
        self.accepted = True
        tell("connected to {}:{}, link {}".format(self.where[0], self.where[1], self.link))
        return sock

    def check(self, sock):
        """Nothing is said to an adapter that is not the enrolled one."""
        found = hashlib.sha256(sock.getpeercert(True)).hexdigest()
        if found != self.fingerprint:
            raise ForwardError(
                "the certificate at {}:{} has fingerprint {}, expected {}: this is not the adapter it was "
                "enrolled for; nothing was sent. Enrol again if the adapter's certificate was renewed".format(
                    self.where[0], self.where[1], found, self.fingerprint
                )
            )

    def greet(self, sock):
        session = self.read_secret()
        if not session and not self.token:
            raise ForwardError(
                "no token, no kept secret: set ROOMTONE_TOKEN to what `roomtone links enroll` printed"
            )
        answer = self.say_hello(sock, "session" if session else "token", session or self.token)
        if answer.startswith("refused") and session and self.token and session_is_old(answer):
            self.forget_secret()
            raise LostError("the kept secret is not valid any more; trying the token")
        if answer.startswith("session "):
            self.keep_secret(answer.split()[1])
            sock.sendall(message(b"A", b""))
        elif answer != "ok":
            raise ForwardError(
                "the adapter refuses: {}; run `roomtone links enroll` again for a new line".format(
                    answer.replace("refused ", "", 1)
                )
            )
        sock.sendall(message(b"B", self.counts_before.encode()) + message(b"C", self.counts.line().encode()))

    def say_hello(self, sock, kind, secret):
        words = ["roomtone-forward", str(VERSION), kind, secret, self.nic, self.link, self.run_id]
        sock.sendall((" ".join(words) + "\n").encode())
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < 512:
            piece = sock.recv(1)
            if not piece:
                raise LostError("closed before it answered")
            answer += piece
        return answer.decode("ascii", "replace").strip()

    def deliver(self, sock, queue):
        """Until the source ends, or (`OSError`, `LostError`) the connection does."""
        told = shown = time.monotonic()
        while True:
            batch = queue.take(COUNTS_EVERY_S)
            now = time.monotonic()
            self.counts.sent += len(batch)
            parts = [message(b"R", age(now, at) + record) for at, record in batch]
            ending = queue.done
            if ending or abs(now - told) >= COUNTS_EVERY_S:
                parts.append(message(b"C", self.counts.line().encode()))
                told = now
            check_open(sock)
            if parts:
                sock.sendall(b"".join(parts))
            if abs(now - shown) >= TOLD_EVERY_S:
                shown = now
                tell(self.counts.line())
            if ending:
                sock.settimeout(TIMEOUT_S)
                sock.unwrap()
                return

    def read_secret(self):
        try:
            with open(self.secret_file) as kept:
                return kept.read().strip()
        except OSError:
            return ""

    def keep_secret(self, secret):
        """Written aside and moved, so that a power cut leaves the old one or the new one."""
        try:
            handle = os.open(self.secret_file + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as kept:
                kept.write(secret + "\n")
                kept.flush()
                os.fsync(kept.fileno())
            os.rename(self.secret_file + ".new", self.secret_file)
        except OSError as error:
            raise ForwardError(
                "cannot keep the secret in {}: {}; name another place with --secret-file. "
                "The token is not spent".format(self.secret_file, error.strerror)
            )

    def forget_secret(self):
        try:
            os.remove(self.secret_file)
        except OSError as error:
            raise ForwardError("cannot remove {}: {}".format(self.secret_file, error.strerror))


def session_is_old(answer):
    return answer.split()[1:2] == ["wrong_session"]


def tls_context():
    """TLS 1.2 or newer; who is there is told by the fingerprint, not by a name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    versions = getattr(ssl, "TLSVersion", None)
    if versions is not None:
        context.minimum_version = versions.TLSv1_2
    else:
        context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
    return context


def check_open(sock):
    """The adapter says nothing after its answer: something to read is the end."""
    sock.settimeout(0.0)
    try:
        if sock.recv(1) == b"":
            raise LostError("closed by the adapter")
    except (ssl.SSLWantReadError, BlockingIOError):
        pass
    finally:
        sock.settimeout(TIMEOUT_S)


def message(kind, body):
    return kind + struct.pack(">I", len(body)) + body


def age(now, then):
    return struct.pack(">I", min(max(int((now - then) * 1e6), 0), 2**32 - 1))


# --- Command line


def address(text, default_host=None):
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or default_host
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ForwardError("{!r} is not HOST:PORT".format(text))
    return host, int(port)


def tell(text):
    sys.stderr.write("roomtone-forward: {}\n".format(text))
    sys.stderr.flush()


def arguments_of(words):
    parser = argparse.ArgumentParser(
        prog="roomtone_forward.py",
        description="Forward a card's records to a Roomtone adapter elsewhere, record by record.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--nic", help="intel5300, atheros, nexmon or esp32: whose records these are")
    add("--source", help="where the records come from, see below")
    add("--to", help="tls://HOST:PORT or udp://HOST:PORT")
    add("--link", default="", help="name of the link, as enrolled (TLS)")
    add("--fingerprint", default="", help="SHA-256 of the adapter's certificate, hexadecimal (TLS)")
    add("--secret-file", help="where the secret for reconnects is kept; default ~/.roomtone-forward-LINK")
    add("--queue", type=int, default=1024, help="records kept while the adapter is away; default 1024")
    add("--doctor", action="store_true", help="check this host's card, driver and rights, and say what to do")
    add("--json", action="store_true", help="with --doctor: JSON alone on standard output")
    given = parser.parse_args(words)
    if not given.doctor:
        missing = [name for name in ("nic", "source", "to") if not getattr(given, name)]
        if missing:
            parser.error("needed: " + ", ".join("--" + name for name in missing))
        if given.queue < 1:
            parser.error("--queue needs at least 1")
    given.token = os.environ.get("ROOMTONE_TOKEN", "")
    if not given.secret_file:
        given.secret_file = os.path.join(os.path.expanduser("~"), ".roomtone-forward-" + given.link)
    return given


def target_of(given, counts):
    scheme, _, rest = given.to.partition("://")
    if scheme == "udp":
        return ToUdp(address(rest), counts)
    if scheme != "tls":
        raise ForwardError("--to {!r}: write tls://HOST:PORT or udp://HOST:PORT".format(given.to))
    if len(given.fingerprint.replace(":", "")) != 64 or not given.link:
        raise ForwardError("tls:// needs --link and --fingerprint (64 digits), see `roomtone links enroll`")
    return ToTls(address(rest), given, counts)


def doctor(given):
    try:
        import roomtone_host
    except ImportError:
        raise ForwardError("--doctor needs the folder roomtone_host beside this file")
    words = ["--nic", given.nic] if given.nic else []
    return roomtone_host.main(words + (["--json"] if given.json else []))


def forward(given):
    counts, failures, stop = Counts(), [], threading.Event()
    target = target_of(given, counts)
    records, patient = open_source(given.source, given.nic, counts)
    queue = Queue(given.queue, counts, patient)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: (stop.set(), queue.end()))  # what waits is still delivered
    reader = threading.Thread(target=read_all, args=(records, queue, failures))
    reader.daemon = True
    reader.start()
    target.run(queue, stop)
    tell("done, " + counts.line())
    if failures:
        raise ForwardError(failures[0])
    return 0


def main(words=None):
    given = arguments_of(words)
    try:
        return doctor(given) if given.doctor else forward(given)
    except ForwardError as fault:
        tell(str(fault))
    except OSError as error:
        tell("failed: {}".format(error))
    return 1


if __name__ == "__main__":
    sys.exit(main())
