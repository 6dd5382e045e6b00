"""The adapter: one live driver, from a card's bytes to the service's ingest endpoint.

It runs beside the card from numpy, pyzmq and msgspec alone (``python -m drivers``), never holds the card
back, and outlives a service that is not there: frames without a taker are dropped and counted.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import DeliveryError, SourceError, UnknownFormatError
from drivers.iq import IqOrder
from drivers.live import LiveSource, open_source
from drivers.live.registry import is_live
from drivers.publish import Publisher
from drivers.registry import Nic, load
from drivers.sender import Sender
from drivers.source import nic_of, read_chunks
from drivers.watch import Watch
from drivers.wire import Source

PATIENCE_S = 2.0
"""How long a live source is left unread at the start, for a service that is about to answer."""
DRAIN_S = 5.0
_FILE_CHUNK_BYTES = 4096  # some frames only: a paced file must hear a signal soon
_STEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Adapter:
    """What an adapter is asked to do.

    Attributes:
        nic: registry name of the card; ``"auto"`` for files only.
        source: as for `drivers.live.open_source`, or ``file:PATH``.
        link: name of the link; `room` names its room for a service that creates rooms by header.
        to: the service's ingest endpoint.
        transmitter, iq_order: as for `drivers.pipeline.Pipeline`.
        allow: senders that a UDP source takes.
        enrolment: folder that lets a TLS source know its forwarder.
    """

    nic: str
    source: str
    link: str
    to: str
    room: str | None = None
    transmitter: str = "auto"
    iq_order: IqOrder = "as_recorded"
    allow: Sequence[str] = ()
    enrolment: Path | None = None

    def run(self, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Deliver until the source ends or `stopped`; `say` takes lines for people.

        Raises:
            SourceError: the source cannot be opened, or breaks.
            UnknownFormatError: no such NIC, or the source ended without a frame of it.
            OptionError: a setting makes no sense.
            DeliveryError: no endpoint, or the source ended before any service answered.
        """
        with ExitStack() as stack:
            nic, kind, live, chunks = self._open(stack)
            sender = stack.enter_context(
                Sender(self.to, link=self.link, room=self.room, nic=nic.NAME, source=kind, lossless=False)
            )
            publisher = Publisher(
                nic,
                sender,
                speed=None if kind is Source.LIVE else 1.0,
                transmitter=self.transmitter,
                iq_order=self.iq_order,
            )
            if live is not None:
                publisher.lost, sender.unauthenticated = live.lost, live.unauthenticated
            watch = Watch(say, publisher, sender, live)
            watch.begin(self.link, nic.TITLE)
            self._await_service(sender, watch, stopped, None if kind is Source.REPLAY else PATIENCE_S)
            broken = self._deliver(chunks, publisher, watch, stopped)
            self._end(publisher, sender, watch)
            if broken is not None:
                raise broken
            if not stopped():
                self._judge(publisher, sender, nic)

    def _open(self, stack: ExitStack) -> tuple[Nic, Source, LiveSource | None, Iterable[bytes]]:
        """NIC, what its frames are, the live source if it is one, and the bytes."""
        if is_live(self.source) or not self._is_file:
            nic = load(self.nic)
            options = {"allow": list(self.allow), "enrolment": self.enrolment}
            live = stack.enter_context(open_source(self.source, nic, **options))
            return nic, Source.LIVE, live, live
        path = Path(self.source.removeprefix("file:"))
        return nic_of(path, self.nic), Source.REPLAY, None, read_chunks(path, _FILE_CHUNK_BYTES)

    @property
    def _is_file(self) -> bool:
        return self.source.startswith("file:") or ":" not in self.source or Path(self.source).exists()

    @staticmethod
    def _await_service(
        sender: Sender, watch: Watch, stopped: Callable[[], bool], patience_s: float | None
    ) -> None:
        """Wait for a first answer, but not for longer than a card can; a file waits for ever (None)."""
        waited = 0.0
        while not (sender.granted or sender.refusal or stopped()):
            if patience_s is not None and waited >= patience_s:
                break
            sender.pump(_STEP_S)
            waited += _STEP_S
            if waited >= PATIENCE_S:
                watch.look()

    @staticmethod
    def _deliver(
        chunks: Iterable[bytes], publisher: Publisher, watch: Watch, stopped: Callable[[], bool]
    ) -> SourceError | None:
        """Publish what comes; the error that broke the source, if one did."""
        try:
            for chunk in chunks:
                if chunk:
                    publisher.feed(chunk)
                else:
                    publisher.tick()
                watch.look()
                if stopped():
                    break
        except SourceError as error:
            return error
        return None

    @staticmethod
    def _end(publisher: Publisher, sender: Sender, watch: Watch) -> None:
        """Send what is left, wait a little until it is processed, and say what became of all."""
        publisher.finish()
        if sender.granted and sender.refusal is None:
            try:
                sender.drain(DRAIN_S)
            except DeliveryError as error:
                watch.say(f"adapter: {error}")
        watch.tell()

    def _judge(self, publisher: Publisher, sender: Sender, nic: Nic) -> None:
        report = publisher.report()
        if not report.frames:
            raise UnknownFormatError(
                f"no frame of {nic.TITLE} in {report.account.total_bytes} bytes from {self.source}; "
                f"`roomtone doctor --nic {nic.NAME}` finds out why"
            )
        if not sender.granted and sender.refusal is not None:
            raise DeliveryError(
                f"the service at {self.to} refuses link {self.link}: {report.dropped} frames were dropped; "
                f"{sender.refusal.reason}: {sender.refusal.detail}"
            )
        if not sender.granted:
            raise DeliveryError(
                f"no service answered at {self.to}: {report.dropped} frames were dropped; "
                "start one with `roomtone run`, or name its ingest endpoint with --to"
            )
