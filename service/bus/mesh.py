"""Signals over TCP: every part listens at its own endpoint, and all hold one key.

Who has the key may listen and may speak; the key is a CURVE pair (ZeroMQ RFC 26) that is server and client at
once. It is made once for a site and copied to its machines, like the password of their database.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zmq
from zmq.auth.thread import ThreadAuthenticator

from service.errors import BusError

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]


class Key(msgspec.Struct, frozen=True):
    """A CURVE pair in Z85."""

    public: str
    secret: str


@dataclass(frozen=True, slots=True)
class Mesh:
    """Where parts are reached.

    Args:
        endpoints: by part, as other machines reach it; parts that are missing are on this machine.
        bind: host to listen at instead of the endpoint's own.
        key: what all parts share; None on loopback, or behind a private network.
    """

    endpoints: Mapping[str, str] = field(default_factory=dict)
    bind: str | None = None
    key: Key | None = None

    def listening(self, part: str) -> str | None:
        """Where this part listens; None for one that stays on its machine."""
        endpoint = self.endpoints.get(part)
        if endpoint is None or self.bind is None:
            return endpoint
        return f"tcp://{self.bind}:{endpoint.rpartition(':')[2]}"

    def guard(self, context: Context, socket: Socket) -> ThreadAuthenticator | None:
        """Make a socket, not bound yet, take who has the key only."""
        if self.key is None:
            return None
        zap = ThreadAuthenticator(context)
        zap.start()
        zap.configure_curve_callback("*", _Holder(self.key.public.encode()))
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = _bytes(self.key)
        return zap

    def show(self, socket: Socket) -> None:
        """Make what this socket connects to from now on see our key, and see that the other side has it."""
        if self.key is not None:
            socket.curve_publickey, socket.curve_secretkey = _bytes(self.key)
            socket.curve_serverkey = self.key.public.encode()


def make_key(path: Path) -> None:
    """Write a new key, readable by its owner only.

    Raises:
        BusError: there is one already, which other machines may have copied, or the file cannot be written.
    """
    public, secret = zmq.curve_keypair()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(Key(public.decode(), secret.decode())))
    except FileExistsError as error:
        raise BusError(f"{path} is there already; remove it on every machine to begin anew") from error
    except OSError as error:
        raise BusError(f"cannot write the key {path}: {error.strerror}") from error


def read_key(path: Path) -> Key:
    """The key of this site's signals.

    Raises:
        BusError: there is none, or it is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Key)
    except FileNotFoundError as error:
        raise BusError(
            f"no key at {path}: signals leave this machine, so make one with `roomtone keys bus` and copy "
            "the file to the machines of all parts (bus.key_file says where it lies)"
        ) from error
    except OSError as error:
        raise BusError(f"cannot read the key {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BusError(f"{path} is damaged: {error}; copy it again from another machine") from error


class _Holder:
    """Asked by ZAP at every handshake."""

    def __init__(self, public: bytes) -> None:
        self._public = public

    def callback(self, domain: str, key: bytes) -> bool:
        del domain
        return key == self._public


def _bytes(key: Key) -> tuple[bytes, bytes]:
    return key.public.encode(), key.secret.encode()
