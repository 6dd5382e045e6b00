"""One transmitter a link: which one, when another takes over, and that nothing depends on the cuts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import intel5300
from drivers.errors import OptionError
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.transmitter import HOLD_FRAMES, TransmitterFilter, parse_mac
from tests.drivers.intel import make_block

A, B, C = 0x0016EA123456, 0x0016EA123457, 0x02FFFFFFFFFF
S = 1_000_000_000


def block(senders: list[int], *, rate_hz: float = 100.0, start_s: float = 0.0) -> FrameBlock:
    """Frames in even steps, one a sender given."""
    made = make_block(len(senders), ntx=1)
    made.table["transmitter"] = senders
    made.table["capture_ns"] = [round((start_s + i / rate_hz) * S) for i in range(len(senders))]
    return made


def passed(found: list[FrameBlock]) -> list[tuple[int, int]]:
    """Index and sender of the frames, in order of the index."""
    return sorted(
        (int(i), int(mac))
        for one in found
        for i, mac in zip(one.index, one.table["transmitter"], strict=True)
    )


def run(
    whole: FrameBlock, cuts: list[int], wanted: str = "auto"
) -> tuple[list[tuple[int, int]], TransmitterFilter]:
    chosen, found, start = TransmitterFilter(wanted), [], 0
    for cut in [*sorted(cuts), len(whole)]:
        found += chosen.take([whole.take(slice(start, cut))] if cut > start else [])
        start = cut
    return passed(found + chosen.flush()), chosen


def test_auto_takes_the_sender_of_most_frames_of_the_first_second() -> None:
    whole = block([B, A, A] * 100)
    found, chosen = run(whole, [])
    assert chosen.followed == A
    assert {mac for _, mac in found} == {A}
    assert len(found) == 200
    assert chosen.rejected == {"other_transmitter": 100}
    assert chosen.roamed == 0


def test_a_later_majority_changes_nothing_while_the_first_one_sends() -> None:
    whole = block([A] * 100 + [B, B, B, A] * 500)
    found, chosen = run(whole, [150, 700])
    assert chosen.followed == A
    assert len(found) == 600
    assert chosen.roamed == 0


def test_frames_wait_for_the_decision_no_longer_than_a_second_or_so_many() -> None:
    chosen = TransmitterFilter()
    assert chosen.take([block([A] * 99)]) == []
    held = [chosen.holds]
    assert len(passed(chosen.take([block([A] * 5, start_s=1.0)]))) == 104
    assert [*held, chosen.holds] == [True, False]
    still = block([A] * (HOLD_FRAMES + 1))
    still.table["capture_ns"] = 4
    assert len(passed(TransmitterFilter().take([still]))) == HOLD_FRAMES + 1


def test_frames_without_a_sender_pass_at_once() -> None:
    chosen, whole = TransmitterFilter(), block([0] * 30)
    assert chosen.take([whole]) == [whole]
    assert not chosen.holds
    assert (chosen.followed, chosen.rejected) == (0, {})


def test_one_address_and_nothing_else() -> None:
    found, chosen = run(block([A, B, 0, A]), [], "00:16:EA:12:34:56")
    assert found == [(0, A), (3, A)]
    assert chosen.rejected == {"other_transmitter": 1, "unknown_transmitter": 1}
    found, chosen = run(block([A, B, 0]), [], "any")
    assert len(found) == 3
    assert chosen.rejected == {}


def test_a_silent_sender_gives_way_to_a_steady_one() -> None:
    whole = block([A] * 200 + [B] * 1000)
    found, chosen = run(whole, [])
    assert (chosen.followed, chosen.roamed) == (B, 1)
    taken = [i for i, mac in found if mac == B]
    assert taken == list(range(taken[0], 1200))
    assert 1.98 + 5 <= taken[0] / 100 <= 1.99 + 5.01
    assert chosen.rejected == {"other_transmitter": taken[0] - 200}


def test_a_burst_or_a_rare_sender_is_not_followed() -> None:
    burst = block([A] * 200 + [B] * 20)
    burst.table["capture_ns"][200:] += 30 * S
    assert run(burst, [])[1].roamed == 0
    rare = block([A] * 200 + [B] * 40)
    rare.table["capture_ns"][200:] = rare.table["capture_ns"][199] + 2 * S * np.arange(1, 41)
    assert run(rare, [])[1].roamed == 0


def test_of_several_the_one_with_most_frames_is_followed() -> None:
    found, chosen = run(block([A] * 200 + [B, C, C] * 300), [])
    assert (chosen.followed, chosen.roamed) == (C, 1)
    assert B not in {mac for _, mac in found}


def test_an_asked_for_address_never_roams() -> None:
    found, chosen = run(block([A] * 200 + [B] * 1000), [], "00:16:ea:12:34:56")
    assert len(found) == 200
    assert (chosen.followed, chosen.roamed) == (A, 0)


segments = st.lists(
    st.tuples(st.sampled_from([A, B, C, 0]), st.integers(1, 90), st.sampled_from([0.01, 0.2, 0.5, 3.0])),
    min_size=1,
    max_size=10,
)


@given(segments, st.lists(st.integers(0, 900), max_size=12))
@settings(max_examples=150, deadline=None)
def test_the_cuts_do_not_matter(parts: list[tuple[int, int, float]], cuts: list[int]) -> None:
    whole = block([mac for mac, count, _ in parts for _ in range(count)])
    steps = [round(step * S) for _, count, step in parts for _ in range(count)]
    whole.table["capture_ns"] = np.cumsum(steps)
    at_once, first = run(whole, [])
    in_pieces, second = run(whole, [min(cut, len(whole)) for cut in cuts])
    assert in_pieces == at_once
    assert (first.followed, first.roamed, first.rejected) == (second.followed, second.roamed, second.rejected)
    assert len(at_once) + first.rejected.total() == len(whole)


def test_what_is_no_transmitter_is_refused() -> None:
    assert parse_mac("00-16-ea-12-34-56") == A
    for text in ("", "first", "00:16:ea:12:34", "00:00:00:00:00:00", "0016ea123456"):
        with pytest.raises(OptionError, match="MAC address"):
            TransmitterFilter(text)


def test_a_nic_that_names_nobody_says_so() -> None:
    with pytest.raises(OptionError, match="do not say who sent"):
        Pipeline(intel5300, transmitter="00:16:ea:12:34:56")
    assert Pipeline(intel5300, transmitter="any").transmitter == 0
