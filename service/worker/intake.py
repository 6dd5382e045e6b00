"""From messages to frames in rooms: who may send, what is new, what must be answered."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.frame import FrameBlock
from drivers.wire import Flush, Grant, Header, Hello, Refuse
from models.prediction import JsonValue
from models.signal.window import PushCount
from service.bus.port import Delivery, Ingest
from service.rooms.pause import PAUSED
from service.store.engine import Store
from service.worker.admission import Refused, admit
from service.worker.ledger import LinkLedger, timely
from service.worker.rooms import RoomRuntime
from service.worker.site import Layout

MAX_UNASSIGNED = 256
FORGET_UNASSIGNED_S = 60.0
ANSWERS_A_WINDOW = 8
"""A live sender only needs to hear of new credit long before it has used up the old; it greets every second,
and that is answered too. A replay waits for every answer."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Follow:
    """A link follows transmitter `after` now, before that `before` (MAC addresses; 0: not known)."""

    link: str
    before: int
    after: int


class Intake:
    """Takes deliveries for the worker and keeps the ledgers of all links.

    Attributes:
        ledgers: links that have a room.
        unassigned: senders that are refused, newest last; at most `MAX_UNASSIGNED`.
        heard: links that delivered frames since this was last emptied.
        to_answer: links whose sender waits for a grant.
        to_flush: links whose sender said that nothing follows, and has all frames here.
        follows: links that follow another transmitter than before, since this was last emptied.
        enrolled: whether a header made a room or moved a link: the layout must be read again.
    """

    def __init__(self, store: Store, service_id: str, *, window: int, rooms_by_header: bool) -> None:
        self.ledgers: dict[str, LinkLedger] = {}
        self.unassigned: OrderedDict[str, LinkLedger] = OrderedDict()
        self.heard: set[str] = set()
        self.to_answer: set[str] = set()
        self.to_flush: set[str] = set()
        self.enrolled = False
        self.follows: list[Follow] = []
        self._store, self._service_id, self._window = store, service_id, window
        self._rooms_by_header = rooms_by_header

    def greet(self, delivery: Delivery, hello: Hello, layout: Layout) -> Refuse | None:
        """A sender introduces itself; the refusal to send it, if it is not admitted."""
        peer, now_ns = delivery.peer, delivery.received_ns
        ledger = self.ledgers.get(hello.link)
        if ledger is not None and ledger.is_busy(hello, now_ns):
            detail = f"another sender delivers link {hello.link}: stop it, or use another link name"
            return Refuse(hello.session, "link_busy", detail)
        decision = admit(hello, layout, self._store, rooms_by_header=self._rooms_by_header)
        if isinstance(decision, Refused):
            self.drop_link(hello.link)
            self._unassigned_ledger(hello.link).greet(hello, peer, now_ns, delivery.address)
            return Refuse(hello.session, decision.reason, decision.detail)
        ledger = ledger or self._new_ledger(hello.link, layout)
        ledger.room = decision.room
        before = ledger.transmitter
        ledger.greet(hello, peer, now_ns, delivery.address)
        if ledger.transmitter != before:
            self.follows.append(Follow(hello.link, before, ledger.transmitter))
        self.to_answer.add(hello.link)
        self.enrolled |= decision.enrolled
        return None

    def take(
        self, header: Header, block: FrameBlock, received_ns: int, rooms: Mapping[str, RoomRuntime]
    ) -> RoomRuntime | None:
        """A block of frames; the room it went to, if it went to one."""
        ledger = self.ledgers.get(header.link)
        if ledger is None:
            self._refuse_block(header, block, received_ns)
            return None
        fresh = ledger.take(header, block, received_ns)
        if ledger.keeps_unacked or ledger.unanswered >= self._window // ANSWERS_A_WINDOW:
            self.to_answer.add(header.link)
        room = rooms.get(ledger.room or "")
        if fresh is None or room is None:
            return None
        if room.paused:
            self._pass_over(ledger, fresh)
            return None
        ledger.settle(_push(room, ledger, fresh, received_ns))
        self.heard.add(header.link)
        return room

    def _pass_over(self, ledger: LinkLedger, block: FrameBlock) -> None:
        """Frames of a paused room: counted, and acknowledged like any others; nothing is kept of them."""
        ledger.settle(PushCount(0, 0, {PAUSED: len(block)}))
        ledger.forget()
        self.heard.add(ledger.link)

    def flush(self, flush: Flush) -> None:
        """A sender says that nothing follows; it will say so again if frames are still missing."""
        ledger = self.ledgers.get(flush.link)
        if ledger is None or ledger.session != flush.session:
            return
        self.to_answer.add(flush.link)
        ledger.source_rejected, ledger.dropped = dict(flush.rejected), flush.dropped
        if ledger.position >= flush.published or not ledger.keeps_unacked:
            ledger.pass_over(flush.published)
            self.to_flush.add(flush.link)

    def answer(self, ingest: Ingest, rooms: Mapping[str, RoomRuntime]) -> None:
        """Grant everybody who waits; call it once what came before is durable."""
        for link in self.to_answer:
            ledger = self.ledgers.get(link)
            if ledger is not None and ledger.session is not None:
                ingest.reply(ledger.peer, self._grant(ledger, ledger.session, rooms.get(ledger.room or "")))
        self.to_answer.clear()

    def drop_link(self, link: str) -> None:
        """The link has no room any more."""
        self.ledgers.pop(link, None)
        self.to_flush.discard(link)

    def reports(self, now_ns: int) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """Links, and unassigned senders that were heard lately, as the heartbeat carries them."""
        for link, ledger in list(self.unassigned.items()):
            if now_ns - (ledger.heard_ns or 0) > FORGET_UNASSIGNED_S * 1e9:
                del self.unassigned[link]
        return (
            {link: ledger.report() for link, ledger in self.ledgers.items()},
            {link: ledger.report() for link, ledger in self.unassigned.items()},
        )

    def _grant(self, ledger: LinkLedger, session: str, room: RoomRuntime | None) -> Grant:
        ledger.release((room.horizon_ns() if room else None) or 0)
        ledger.unanswered = 0
        return Grant(
            service_id=self._service_id,
            session=session,
            acked=ledger.acknowledged,
            window=self._window + len(ledger.held),
            last_capture_ns=ledger.last_capture_ns,
            flushed=ledger.flushed,
        )

    def _refuse_block(self, header: Header, block: FrameBlock, received_ns: int) -> None:
        ledger = self._unassigned_ledger(header.link)
        if (fresh := ledger.take(header, block, received_ns)) is not None:
            ledger.settle(PushCount(0, 0, {"unknown_link": len(fresh)}))

    def _new_ledger(self, link: str, layout: Layout) -> LinkLedger:
        self.unassigned.pop(link, None)
        self.ledgers[link] = LinkLedger(link, None)
        if place := layout.links.get(link):
            self.ledgers[link].last_capture_ns = place.last_capture_ns
            self.ledgers[link].transmitter = place.transmitter
        return self.ledgers[link]

    def _unassigned_ledger(self, link: str) -> LinkLedger:
        ledger = self.unassigned.pop(link, None) or LinkLedger(link, None)
        self.unassigned[link] = ledger
        while len(self.unassigned) > MAX_UNASSIGNED:
            self.unassigned.popitem(last=False)
        return ledger


def _push(room: RoomRuntime, ledger: LinkLedger, block: FrameBlock, received_ns: int) -> PushCount:
    """The boundary to foreign bytes: a block that no window can take is rejected, whatever it broke."""
    in_time = timely(block.table["capture_ns"], received_ns)
    rejected = Counter(bad_time=len(block) - int(in_time.sum()))
    good = block if in_time.all() else block.take(in_time)
    try:
        count = room.push(ledger.link, ledger.source, good, received_ns) if len(good) else PushCount(0, 0)
    except Exception:  # noqa: BLE001 - whatever foreign bytes break in a buffer, the other rooms go on
        _log.exception("link %s sent a block of shape %s that cannot be used", ledger.link, block.shape)
        count = PushCount(0, 0, {"unusable": len(good)})
    rejected.update(count.rejected)
    return PushCount(count.accepted, count.late, {why: n for why, n in rejected.items() if n})
