"""What an adapter tells people while it runs: how it goes, and what keeps frames from coming or going."""

import time
from collections.abc import Callable, Mapping

from drivers.live import LiveSource
from drivers.publish import Publisher
from drivers.sender import Sender

STATUS_EVERY_S = 10.0
SILENCE_S = 10.0
"""Without a frame for this long, the likely reasons are told."""
REMIND_S = 60.0


def counted(counts: Mapping[str, int]) -> str:
    """``"3 truncated, 1 resync"``, or ``"none"``."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items() if count) or "none"


class Watch:
    """Looks at an adapter's parts and says what people should know, each thing when it changes.

    Args:
        say: takes one line.
        publisher: its counts.
        sender: whether the service takes frames.
        live: the source, None for a file.
    """

    def __init__(
        self, say: Callable[[str], None], publisher: Publisher, sender: Sender, live: LiveSource | None
    ) -> None:
        self.say = say
        self._publisher, self._sender, self._live = publisher, sender, live
        self._told = self._frame_came = time.monotonic()
        self._reminded = float("-inf")
        self._frames = 0
        self._trouble: str | None = None
        self._service: str | None = None

    def begin(self, link: str, title: str) -> None:
        """The first line."""
        what = "file" if self._live is None else self._live.description
        self.say(f"adapter: link {link} ({title}) from {what} to {self._sender.endpoint}")
        if self._live is not None and self._live.unauthenticated:
            self.say(
                "adapter: anybody on that network can send such bytes: frames are marked unauthenticated"
            )

    def look(self) -> None:
        """Say what is new; call it often."""
        now = time.monotonic()
        self._look_at_service()
        self._look_at_source(now)
        if now - self._told >= STATUS_EVERY_S:
            self._told = now
            self.tell()

    def tell(self) -> None:
        """One line of counts."""
        self.say(f"adapter: {self.line()}")

    def line(self) -> str:
        """Counts of everything that came, went and got lost so far."""
        report = self._publisher.report()
        text = (
            f"{report.frames} frames, {report.published} published, {report.acked} processed, "
            f"{report.dropped} dropped here, {report.lost} lost on the way, "
            f"rejected: {counted(report.rejected)}"
        )
        if self._live is not None:
            text += f", lost by the transport: {counted(self._live.lost)}"
            if any(self._live.ignored.values()):
                text += f", ignored: {counted(self._live.ignored)}"
        return text

    def _look_at_service(self) -> None:
        sender, service = self._sender, "answers"
        if sender.refusal is not None:
            service = f"refuses the frames: {sender.refusal.reason}: {sender.refusal.detail}"
        elif sender.trouble is not None:
            service = f"is not reached: {sender.trouble}"
        elif not sender.granted:
            service = "does not answer yet; frames are dropped until it does"
            if self._live is None:
                service = "does not answer yet; waiting for it"
        if service != self._service and (self._service is not None or service != "answers"):
            self.say(f"adapter: the service at {sender.endpoint} {service}")
        self._service = service

    def _look_at_source(self, now: float) -> None:
        frames = self._publisher.pipeline.stream.frames
        trouble = None if self._live is None else self._live.trouble
        if trouble != self._trouble:
            self.say(f"adapter: {trouble or 'the source is back'}")
            self._trouble = trouble
        if frames != self._frames or self._live is None:
            self._frames, self._frame_came = frames, now
            self._reminded = float("-inf")
        elif now - self._frame_came >= SILENCE_S and now - self._reminded >= REMIND_S and not trouble:
            self._reminded = now
            self.say(f"adapter: {self._silence(now - self._frame_came, self._live)}")

    def _silence(self, seconds: float, live: LiveSource) -> str:
        account, nic = self._publisher.pipeline.account, self._publisher.pipeline.nic
        if not live.received:
            why = f"nothing has come from {live.description}"
        elif account.rejected or account.skipped:
            why = (
                f"{live.received} reads so far; rejected: {counted(account.rejected)}; "
                f"not CSI: {counted(account.skipped)}"
            )
        else:
            why = f"{live.received} reads so far"
        if any(live.ignored.values()):
            why += f"; ignored: {counted(live.ignored)}"
        return f"no frame for {seconds:.0f} s: {why}. `roomtone doctor --nic {nic.NAME}` finds out why"
