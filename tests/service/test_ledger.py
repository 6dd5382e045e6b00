"""The accounts of a link: sums that must hold whatever is lost, doubled or late on the way."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import SCHEMA_VERSION, Hello, Source, pack_block, unpack_block
from models.signal.window import PushCount
from service.worker.ledger import LinkLedger
from tests.service.frames import T0, S, frames


def hello(session: str = "s1", published: int = 0, acked: int = 0, source: Source = Source.LIVE) -> Hello:
    return Hello(
        schema=SCHEMA_VERSION,
        session=session,
        link="l1",
        room="b",
        nic="intel5300",
        source=source,
        published=published,
        acked=acked,
    )


def greeted(published: int = 0, acked: int = 0, source: Source = Source.LIVE) -> LinkLedger:
    ledger = LinkLedger("l1", "b")
    ledger.greet(hello(published=published, acked=acked, source=source), b"p", 0)
    return ledger


def offer(ledger: LinkLedger, first: int, count: int, session: str = "s1") -> int:
    """Frames of a block that the ledger takes for new."""
    parts = pack_block(
        frames(first / 50, count / 50, first=first),
        session=session,
        link="l1",
        room="b",
        source=ledger.source,
        first=first,
        host_ns=0,
    )
    fresh = ledger.take(*unpack_block(parts), received_ns=T0 + 7 * S)
    if fresh is None:
        return 0
    late = min(1, len(fresh))
    ledger.settle(PushCount(len(fresh) - late, late, {}))
    return len(fresh)


def sums_hold(ledger: LinkLedger) -> bool:
    return (
        ledger.published == ledger.received + ledger.gap
        and ledger.received == ledger.accepted + ledger.rejected.total() + ledger.late + ledger.duplicate
    )


BLOCKS = st.lists(st.tuples(st.integers(1, 32), st.sampled_from(["sent", "lost", "twice"])), max_size=20)


@given(BLOCKS)
def test_live_frames_are_all_accounted_for(blocks: list[tuple[int, str]]) -> None:
    ledger, first, lost, twice = greeted(), 0, 0, 0
    for count, fate in blocks:
        for _ in range({"sent": 1, "lost": 0, "twice": 2}[fate]):
            offer(ledger, first, count)
        lost += count * (fate == "lost")
        twice += count * (fate == "twice")
        first += count
    ledger.greet(hello(published=first), b"p", 1)
    assert sums_hold(ledger)
    assert (ledger.gap, ledger.duplicate) == (lost, twice)
    assert ledger.published == first + twice
    assert ledger.position == first


BREAKS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=8)


@given(st.lists(st.integers(1, 32), min_size=1, max_size=15), BREAKS)
def test_a_replay_that_sends_again_after_breaks_loses_and_doubles_nothing(
    sizes: list[int], breaks: list[tuple[float, bool]]
) -> None:
    ledger = greeted(source=Source.REPLAY)
    edges = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    taken = 0
    for reach, swallowed in [*breaks, (1.0, False)]:
        at = edges.index(max(edge for edge in edges if edge <= ledger.acknowledged))
        for number in range(at, at + round(reach * (len(sizes) - at))):
            if not (swallowed and number == at):
                taken += offer(ledger, edges[number], sizes[number])
    assert taken == edges[-1] == ledger.accepted + ledger.late
    assert ledger.gap == 0
    assert sums_hold(ledger)


def test_an_overlap_gives_out_only_what_is_new() -> None:
    ledger = greeted()
    assert offer(ledger, 0, 20) == 20
    assert offer(ledger, 10, 20) == 10
    assert offer(ledger, 0, 30) == 0
    assert (ledger.received, ledger.duplicate) == (70, 40)
    assert sums_hold(ledger)


def test_frames_before_a_greeting_are_not_taken() -> None:
    ledger = LinkLedger("l1", "b")
    assert offer(ledger, 0, 5) == 0
    assert ledger.received == 0


def test_a_replay_met_half_way_goes_on_where_it_was_acknowledged() -> None:
    ledger = greeted(published=500, acked=100, source=Source.REPLAY)
    assert offer(ledger, 300, 10) == 0
    assert offer(ledger, 100, 10) == 10
    assert ledger.gap == 0


def test_a_live_sender_met_half_way_owes_nothing_for_what_was_before() -> None:
    ledger = greeted(published=500, acked=100)
    assert offer(ledger, 510, 10) == 10
    assert (ledger.gap, ledger.published) == (10, 20)


def test_a_replay_is_acknowledged_once_no_window_needs_its_frames() -> None:
    ledger = greeted(source=Source.REPLAY)
    block = frames(0, 4)
    start = int(block.table["capture_ns"][0])
    for first in range(0, 200, 20):
        offer(ledger, first, 20)
    ledger.release(0)
    assert ledger.acknowledged == 0
    ledger.release(start + 1 * S)
    assert ledger.acknowledged == 40, "blocks that end before one second: two of 0.4 s"
    ledger.finish()
    assert ledger.acknowledged == 200


def test_live_frames_are_acknowledged_at_once() -> None:
    ledger = greeted()
    offer(ledger, 0, 20)
    assert ledger.acknowledged == 20


def test_what_is_held_back_is_bounded() -> None:
    ledger = greeted(source=Source.REPLAY)
    for first in range(400):
        offer(ledger, first, 1)
        ledger.release(0)
    assert len(ledger.held) == 256
    assert ledger.acknowledged == 400 - 256


def test_the_link_is_kept_to_one_sender_until_it_falls_silent_or_ends() -> None:
    ledger = greeted()
    assert not ledger.is_busy(hello(), 1 * S)
    assert ledger.is_busy(hello("s2"), 1 * S)
    assert not ledger.is_busy(hello("s2"), 4 * S)
    ledger.finish()
    assert not ledger.is_busy(hello("s2"), 1 * S)


def test_a_report_tells_rate_offset_signal_and_the_cards_own_losses() -> None:
    ledger = greeted()
    for first in (0, 50, 100):
        offer(ledger, first, 50)
    offer(ledger, 160, 10)
    report = ledger.report()
    assert isinstance(report["rate_hz"], float)
    assert abs(report["rate_hz"] - 50) < 5
    assert report["rssi_dbm"] == -41.0
    assert report["sequence_gaps"] == 10
    assert report["shape"] == [30, 3, 1]
    newest = int(frames(160 / 50, 10 / 50).table["capture_ns"][-1])
    assert report["clock_offset_ms"] == (T0 + 7 * S - newest) / 1e6
    assert greeted(source=Source.REPLAY).report()["clock_offset_ms"] is None
