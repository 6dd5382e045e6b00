"""Support and query on made rows: what adapts is never judged, and what is near it is in neither."""

from typing import Any

import numpy as np
import pytest

from models.data.samples import Samples, rows
from models.errors import SelectionError
from models.training.support import GUARD_ROWS, GUARD_S, Split, parse_support, split

KINDS = ("rows", "windows", "blocks", "shuffled")


def made(kind: str, domain: str = "A", classes: int = 3, count: int = 40) -> Samples:
    """Rows of one kind; `number` is unlike in every row."""
    label = np.repeat(np.arange(classes), count)
    place = np.tile(np.arange(count, dtype=np.float64), classes)
    more: dict[str, Any] = {"session": [f"{domain}/{one}" for one in label], "start_s": place}
    if kind == "windows":
        more["length_s"] = 4.0
    if kind == "blocks":
        more |= {"session": None, "start_s": None, "block": [f"{domain}/p{one // 5:g}" for one in place]}
    if kind == "shuffled":
        more |= {"session": None, "start_s": None, "shuffled": True}
    number = np.arange(len(label), dtype=np.float64)[:, None]
    names = tuple(str(one) for one in range(classes))
    return rows("localization", {"number": number}, label, names, domain=domain, **more)


def numbers(samples: Samples) -> set[tuple[str, float]]:
    return set(zip(samples.domain.tolist(), samples.inputs["number"][:, 0].tolist(), strict=True))


@pytest.mark.parametrize("draw", [None, 0, 1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", ["A:1", "A:3", "A:3,B:2", "B:1,A:1"])
def test_no_support_row_is_ever_judged(kind: str, wanted: str, draw: int | None) -> None:
    both = Samples.join([made(kind, "A"), made(kind, "B")])
    parted = split(both, parse_support(wanted), draw=draw)
    assert not numbers(parted.support) & numbers(parted.query)
    assert len(parted.support) + len(parted.query) + parted.left_out == len(both)
    for one in parse_support(wanted):
        lent = parted.support.label[parted.support.domain == one.domain]
        assert np.bincount(lent).tolist() == [one.count] * 3


def test_the_first_rows_of_each_class_and_the_next_seven_are_not_judged() -> None:
    parted = split(made("rows"), parse_support("A:5"))
    assert sorted(set(parted.support.start_s)) == [0, 1, 2, 3, 4]
    assert parted.query.start_s.min() == 5 + GUARD_ROWS
    assert parted.left_out == 3 * GUARD_ROWS


def test_a_domain_without_support_is_judged_whole() -> None:
    both = Samples.join([made("rows", "A"), made("rows", "B")])
    parted = split(both, parse_support("A:5"))
    assert (parted.query.domain == "B").sum() == len(made("rows", "B"))


def test_support_of_a_domain_that_is_not_judged_leaves_nothing_out() -> None:
    both = Samples.join([made("rows", "A"), made("rows", "B")])
    parted = split(both, parse_support("B:5"), asked=both.domain == "A")
    assert set(parted.query.domain) == {"A"}
    assert (len(parted.query), parted.left_out) == (len(made("rows", "A")), 0)
    assert set(parted.support.domain) == {"B"}


def test_the_whole_block_of_a_support_row_is_left_out() -> None:
    parted = split(made("blocks"), parse_support("A:1"))
    assert not set(parted.support.block) & set(parted.query.block)
    assert parted.left_out == 3 * 5 - 3


def test_draws_differ_by_seed_and_come_again() -> None:
    samples = made("shuffled")

    def drawn(seed: int | None) -> set[tuple[str, float]]:
        return numbers(split(samples, parse_support("A:3"), draw=seed).support)

    assert drawn(0) == drawn(0)
    assert len({frozenset(drawn(seed)) for seed in range(10)}) > 8
    assert drawn(None) == {("A", float(40 * one + row)) for one in range(3) for row in range(3)}


def test_rows_near_a_drawn_row_are_left_out() -> None:
    parted = split(made("shuffled"), parse_support("A:1"), draw=3)
    for number, label in zip(parted.support.inputs["number"][:, 0], parted.support.label, strict=True):
        ours = parted.query.inputs["number"][parted.query.label == label, 0]
        assert not ((ours >= number) & (ours <= number + GUARD_ROWS)).any()


def test_only_rows_that_may_be_lent_are_support() -> None:
    samples = made("rows")
    parted = split(samples, parse_support("A:5"), lends=samples.start_s < 3)
    assert parted.support.start_s.max() == 2


def recordings(*seconds: int, one_file: bool = False) -> Samples:
    """A class whose recordings last so long, and another class after it."""
    parts = []
    for name, length in enumerate(seconds):
        start = np.arange(length - 3, dtype=np.float64)
        for label in (0, 1):
            shift = length * label if one_file else 0
            session = f"s{name}" if one_file else f"s{name}/{label}"
            parts.append(
                rows(
                    "activity",
                    {"number": start[:, None]},
                    np.full(len(start), label),
                    ("a", "b"),
                    domain="A",
                    session=[session] * len(start),
                    start_s=start + shift,
                    length_s=4.0,
                )
            )
    return Samples.join(parts)


def spans(parted: Split, label: int) -> dict[str, float]:
    """End of the support in every recording it is from."""
    ours = parted.support.take(parted.support.label == label)
    return {one: float(ours.start_s[ours.session == one].max()) + 4 for one in np.unique(ours.session)}


def test_seconds_are_of_the_class_and_go_on_in_its_next_recording() -> None:
    parted = split(recordings(60, 60), parse_support("A:20s"))
    assert spans(parted, 0) == {"s0/0": 20.0}
    assert parted.query.start_s[parted.query.session == "s0/0"].min() == 20 + GUARD_S
    assert parted.query.start_s[parted.query.session == "s1/0"].min() == 0
    assert spans(split(recordings(12, 60), parse_support("A:20s")), 1) == {"s0/1": 12.0, "s1/1": 8.0}


def test_a_class_that_comes_later_in_a_recording_lends_from_its_own_start() -> None:
    parted = split(recordings(40, one_file=True), parse_support("A:10s"))
    assert spans(parted, 1) == {"s0": 50.0}
    assert parted.query.start_s[parted.query.label == 1].min() == 50 + GUARD_S
    ours = parted.query.start_s[parted.query.label == 0]
    assert (ours.min(), ours.max()) == (10 + GUARD_S, 36)


def test_windows_that_overlap_the_support_in_another_class_are_left_out() -> None:
    """Windows of 4 s that run on into what is support."""
    samples = recordings(40, one_file=True)
    late = samples.take(samples.label == 1)
    early = samples.take((samples.label == 0) & (samples.start_s < 30))
    over = early.take(early.start_s > 27)
    moved = Samples.join([early, late, rows(
        "activity", dict(over.inputs), over.label, ("a", "b"), domain="A",
        session=over.session, start_s=over.start_s + 9.5, length_s=4.0,
    )])  # fmt: skip
    parted = split(moved, parse_support("A:10s"))
    assert not set(over.start_s + 9.5) & set(parted.query.start_s)


@pytest.mark.parametrize(
    ("kind", "wanted", "why"),
    [
        ("rows", "A:5s", "have no time"),
        ("rows", "C:5", "holds no row"),
        ("rows", "A:40", "leaves no window"),
    ],
)
def test_what_cannot_be_split_is_named(kind: str, wanted: str, why: str) -> None:
    with pytest.raises(SelectionError, match=why):
        split(made(kind), parse_support(wanted))


@pytest.mark.parametrize("text", ["A:0", "A:0s"])
def test_a_support_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(SelectionError, match="is not DOMAIN:AMOUNT"):
        parse_support(text)
