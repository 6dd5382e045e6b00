import numpy as np
import pytest

from models.data.samples import Samples
from models.errors import SelectionError
from models.training.selection import hold_out, parse_selection, pick
from models.training.support import GUARD_S, parse_support, split


def samples(domains: tuple[str, ...] = ("A", "B"), seconds: int = 60, classes: int = 2) -> Samples:
    rows = [(d, c, t) for d in domains for c in range(classes) for t in range(seconds - 3)]
    session = np.array([f"{d}/{c}p" for d, c, _ in rows])
    return Samples(
        task="counting",
        inputs={"plain": np.zeros((len(rows), 2), np.float32)},
        label=np.array([c for _, c, _ in rows]),
        classes=tuple(str(n) for n in range(classes)),
        domain=np.array([d for d, _, _ in rows]),
        session=session,
        person=np.array([f"{d}-somebody" for d, _, _ in rows]),
        start_s=np.array([float(t) for *_, t in rows]),
        unit=np.arange(len(rows)),
        block=session,
        length_s=4.0,
    )


def test_ranges_take_windows_that_lie_wholly_inside() -> None:
    found = pick(samples(), parse_selection("A:10s-20s,B"))
    inside = found.start_s[found.domain == "A"]
    assert (inside.min(), inside.max()) == (10, 16)
    assert (found.domain == "B").sum() == 2 * 57


@pytest.mark.parametrize("amount", ["20s", "5"])
def test_support_and_query_keep_the_guard(amount: str) -> None:
    parted = split(samples(("B",)), parse_support(f"B:{amount}"))
    support, query = parted.support, parted.query
    for session in np.unique(query.session):
        end = 20.0 if amount == "20s" else float(support.start_s[support.session == session].max()) + 4
        assert (support.start_s[support.session == session] + 4).max() <= end
        assert query.start_s[query.session == session].min() == end + GUARD_S


def test_held_out_source_shares_no_frames_with_the_rest() -> None:
    training, validation = hold_out(samples(("A",)))
    for session in np.unique(validation.session):
        gap = validation.start_s[validation.session == session].min() - (
            training.start_s[training.session == session].max() + 4
        )
        assert gap > 0
    training, validation = hold_out(samples(("A", "B", "C", "D", "E"), 20))
    assert set(validation.domain) == {"A", "E"}
    assert not set(validation.domain) & set(training.domain)


@pytest.mark.parametrize("text", ["", "A:5s", "A:20s-10s", "A:x-y", "A,,B"])
def test_selections_that_make_no_sense_are_named(text: str) -> None:
    with pytest.raises(SelectionError, match="is no domain"):
        parse_selection(text)


@pytest.mark.parametrize("text", ["", "B", "B:", "B:20m", "B:20s-30s"])
def test_supports_that_make_no_sense_are_named(text: str) -> None:
    with pytest.raises(SelectionError, match="is not DOMAIN:AMOUNT"):
        parse_support(text)


def test_a_support_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(SelectionError, match="leaves no window"):
        split(samples(("B",)), parse_support("B:55s"))
    with pytest.raises(SelectionError, match="holds no row"):
        split(samples(("B",)), parse_support("A:20s"))
    with pytest.raises(SelectionError, match=r"lies in 70\.0-90\.0 s"):
        pick(samples(), parse_selection("A:70s-90s"))
