"""Fading by band and stream: what it measures, and vectors of one width for any number of streams."""

import numpy as np
import pytest

from models.data.samples import MASK, PLAIN
from models.learners import learner
from models.signal.bands import BANDS, SLOTS, VERSION, bands, in_slots
from models.signal.fading import Fading
from models.signal.link_buffer import LinkFrames
from tests.models import make


def fading(people: int = 1, seconds: float = 4.0) -> Fading:
    window = make.windows(make.recording(seconds + 4, people, seed=2))[0]
    return Fading(window.parts[0], window.start_ns, window.end_ns)


def test_every_stream_has_its_own_row_and_level_means_nothing() -> None:
    window = make.windows(make.recording(8.0, 2, seed=2))[0]
    part = window.parts[0]
    louder = LinkFrames(
        **{name: getattr(part, name) for name in part.__slots__ if name != "power"}, power=part.power * 4
    )
    plain, loud = (bands(Fading(one, window.start_ns, window.end_ns)) for one in (part, louder))
    assert plain.shape == (part.power.shape[1] * part.power.shape[2], 2 * BANDS)
    assert loud == pytest.approx(plain, abs=1e-4)


def test_people_who_move_show_and_an_empty_room_is_still() -> None:
    assert bands(fading(3)).mean() > bands(fading(0)).mean() + 1


def test_any_number_of_streams_has_one_width() -> None:
    rng = np.random.default_rng(0)
    for streams in (1, 3, SLOTS, 9):
        values = rng.standard_normal((4, streams, 10))
        found = in_slots(values, np.ones((4, streams), np.bool_))
        assert found.shape == (4, SLOTS * 10)
        assert found.reshape(4, SLOTS, 10)[:, 0] == pytest.approx(
            values[:, : -(-streams // SLOTS)].mean(axis=1)
        )


def test_what_is_not_measured_takes_no_slot_and_padding_changes_nothing() -> None:
    values = np.arange(40.0).reshape(1, 4, 10)
    alone = in_slots(values[:, [0, 2]], np.ones((1, 2), np.bool_))
    holed = in_slots(values, np.array([[True, False, True, False]]))
    assert (alone == holed).all()
    assert alone.reshape(SLOTS, 10)[5] == pytest.approx(values[0, [0, 2]].mean(axis=0))
    assert np.isfinite(in_slots(values, np.zeros((1, 4), np.bool_))).all()


def test_heads_of_counters_look_at_it_where_it_was_measured() -> None:
    rng = np.random.default_rng(0)
    inputs = {VERSION: rng.standard_normal((5, 4, 2 * BANDS)), VERSION + MASK: np.ones((5, 4), np.bool_)}
    plain = {PLAIN: rng.standard_normal((5, 33))}
    assert learner("stream_set").vectors(None, inputs).shape == (5, SLOTS * 2 * BANDS)
    assert (learner("stream_set").vectors(None, plain) == plain[PLAIN]).all()
