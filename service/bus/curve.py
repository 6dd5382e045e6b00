"""Who may deliver frames from other hosts: CURVE keys in the data folder, asked at every handshake.

``<data_dir>/curve/`` holds the service's own key pair, one for tools of this site (replay, demo), and one
small file a client with its public key and its link. What enrols or forgets a client is effective at once.
"""

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zmq
from zmq.auth.thread import ThreadAuthenticator

from drivers.curve import CurveKeys
from service.errors import BusError

ANY_LINK = "*"
_LOOK_EVERY_S = 1.0
_log = logging.getLogger(__name__)
_SERVER, _LOCAL, _CLIENTS = "server.key", "local.key", "clients"


class _Pair(msgspec.Struct, frozen=True):
    public: str
    secret: str


class _Client(msgspec.Struct, frozen=True):
    public: str
    link: str


@dataclass(frozen=True, slots=True)
class CurveFolder:
    """The keys of one site.

    Args:
        path: the folder; made, with the keys that are missing, when they are first asked for.
    """

    path: Path

    def server_keys(self) -> tuple[bytes, bytes]:
        """Public and secret key of the service, in Z85.

        Raises:
            BusError: the folder cannot be used, or a file in it is damaged.
        """
        pair = self._pair(_SERVER)
        return pair.public.encode(), pair.secret.encode()

    def local_keys(self) -> CurveKeys:
        """Keys for who may read this folder: they may deliver any link.

        Raises:
            BusError: as `server_keys`.
        """
        pair = self._pair(_LOCAL)
        return CurveKeys(self.server_keys()[0], pair.public.encode(), pair.secret.encode())

    def enrol(self, link: str) -> CurveKeys:
        """New keys for the adapter of this link; those it had before end. Only the public one is kept.

        Raises:
            BusError: as `server_keys`.
        """
        public, secret = zmq.curve_keypair()
        folder = self.path / _CLIENTS
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            _write(folder / f"{link}.json", msgspec.json.encode(_Client(public.decode(), link)))
        except OSError as error:
            raise BusError(f"cannot keep the key of link {link} in {folder}: {error.strerror}") from error
        return CurveKeys(self.server_keys()[0], public, secret)

    def link_of(self, public: bytes) -> str | None:
        """The link that the owner of this key may deliver, `ANY_LINK` for every; None if nobody knows it."""
        wanted = public.decode("ascii", "replace")
        if wanted == self._pair(_LOCAL).public:
            return ANY_LINK
        for file in sorted((self.path / _CLIENTS).glob("*.json")):
            try:
                client = msgspec.json.decode(file.read_bytes(), type=_Client)
            except (OSError, msgspec.MsgspecError):  # being replaced, or damaged: nobody's key
                continue
            if client.public == wanted:
                return client.link
        return None

    def _pair(self, name: str) -> _Pair:
        path = self.path / name
        try:
            if not path.exists():
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                public, secret = zmq.curve_keypair()
                _write_first(path, msgspec.json.encode(_Pair(public.decode(), secret.decode())))
            return msgspec.json.decode(path.read_bytes(), type=_Pair)
        except OSError as error:
            raise BusError(f"cannot use the CURVE keys in {self.path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise BusError(
                f"{path} is damaged: {error}; take it from a backup, or remove it and enrol every link again"
            ) from error


class Gate:
    """Lets enrolled keys in, and nobody else: ZAP (ZeroMQ RFC 27) on the context of a bound socket.

    Args:
        context: the context of the socket that is guarded; `close` before it is terminated.
        folder: whose keys are known.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", folder: CurveFolder) -> None:
        self._folder = folder
        self._public, self._secret = folder.server_keys()
        folder.local_keys()
        self._links: dict[bytes, tuple[float, str | None]] = {}
        self._zap = ThreadAuthenticator(context)
        self._zap.start()
        self._zap.configure_curve_callback("*", self)

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether this key (Z85) may come in; asked by ZAP in a thread of its own, at every handshake."""
        del domain
        try:
            return self._folder.link_of(key) is not None
        except BusError:
            _log.exception("cannot look a key up; it is kept out")
            return False

    def guard(self, socket: "zmq.Socket[bytes]") -> None:
        """Make this socket, not bound yet, ask for keys."""
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = self._public, self._secret

    def link_of(self, public: bytes) -> str | None:
        """As `CurveFolder.link_of`, looked up once a second: a key that is replaced ends within that."""
        now = time.monotonic()
        known = self._links.get(public)
        if known is None or now - known[0] > _LOOK_EVERY_S:
            known = self._links[public] = (now, self._folder.link_of(public))
        return known[1]

    def close(self) -> None:
        """Let nobody in any more."""
        self._zap.stop()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for the owner only."""
    aside = path.with_suffix(".new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    aside.replace(path)


def _write_first(path: Path, content: bytes) -> None:
    """As `_write`, but the first of several processes that do it wins."""
    aside = path.with_suffix(f".{os.getpid()}")
    _write(aside, content)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
