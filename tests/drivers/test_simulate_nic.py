"""What the simulated Intel 5300 reports, and that its bytes hold it."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import UnknownFormatError
from drivers.frame import FrameBlock, FrameFlag
from drivers.registry import load
from drivers.simulate.capture import encode_in_order, simulated_nic
from drivers.simulate.cards.intel5300 import Intel5300
from drivers.simulate.gain import GainControl, Spells
from drivers.simulate.grid import intel5300_grid
from drivers.simulate.radio import IDEAL, Radio
from drivers.simulate.timing import Traffic
from drivers.stream import Stream

GRID = intel5300_grid()
HEARD = np.ones(200, np.bool_)


def card(radio: Radio = IDEAL, **more: int) -> Intel5300:
    return Intel5300(radio, GRID, np.random.SeedSequence(1), **more)


def channel(packets: int = 200, rx: int = 3, tx: int = 2, gain_db: float = -55.0) -> np.ndarray:
    rng = np.random.default_rng(2)
    shape = (1, 30, rx, tx)
    one = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return np.repeat(one * 10 ** (gain_db / 20) / np.sqrt(2), packets, axis=0).astype(np.complex64)


def times(packets: int = 200, rate: float = 100.0) -> np.ndarray:
    return np.arange(packets) / rate


def measured(radio: Radio = IDEAL, **more: int) -> FrameBlock:
    return card(radio, **more).measure(channel(), times(), HEARD)[0]


def through_bytes(blocks: list[FrameBlock]) -> list[FrameBlock]:
    nic = load("intel5300")
    stream = Stream(nic)
    found = stream.feed(encode_in_order(nic, blocks)) + stream.finish()
    assert not stream.account.rejected
    return found


def test_an_ideal_card_gives_the_channel_up_to_level_phase_and_bits() -> None:
    seen, true = measured().csi()[0], channel()[0]
    scale = np.vdot(true, seen) / np.vdot(true, true)
    assert np.abs(seen - scale * true).max() < 0.75  # half a bit in each of real and imaginary part
    assert 20 < measured().raw.astype(float).std() < 40


def test_rssi_agc_and_power_agree() -> None:
    table, true = measured().table, channel()
    dbm = 10 * np.log10((np.abs(true[0]) ** 2).mean(axis=(0, 2))) + IDEAL.transmit_dbm
    np.testing.assert_allclose(table["rssi_dbm"][0, :3], dbm, atol=0.51)
    field = table["rssi_dbm"][:, :3] + 44 + table["agc_db"][:, None]
    assert np.abs(field.max(axis=1) - 40).max() <= 1
    assert np.isnan(table["rssi_dbm"][:, 3]).all()


def test_gain_control_moves_in_steps_and_holds() -> None:
    control, rng = GainControl(-4.0), np.random.default_rng(0)
    still = control.follow(np.full(500, -40.0), rng)
    assert np.unique(still).tolist() == [36]
    rising = control.follow(np.linspace(-40, -50, 500), rng)
    assert set(np.diff(rising)) <= {0, 1, 2}
    assert rising[-1] in {45, 46}


def test_spells_begin_as_often_as_asked() -> None:
    spells, rng = Spells(0.5, 0.1, (3.0,)), np.random.default_rng(0)
    strength = spells.at(np.arange(0, 400, 0.01), rng)
    begins = np.count_nonzero(np.diff((strength > 0).astype(int)) == 1)
    assert 140 < begins < 240
    assert 0.02 < (strength > 0).mean() < 0.08


def test_phase_is_random_from_packet_to_packet_and_common_to_the_antennas() -> None:
    seen = measured(replace(IDEAL, cfo_hz=1000.0, detection_s=25e-9)).csi()
    first = np.angle(seen[:, 15, 0, 0])
    assert np.abs(np.exp(1j * first).mean()) < 0.2
    between = np.angle(seen[:, 15, 0, 0] * seen[:, 15, 1, 0].conj())
    assert np.abs(np.exp(1j * (between - between[0])) - 1).max() < 0.2


def test_noise_is_as_far_below_the_signal_as_asked() -> None:
    block = measured(replace(IDEAL, csi_snr_db=20.0))
    seen = block.csi() * 10 ** (-block.table["agc_db"] / 20)[:, None, None, None]
    strong = np.abs(seen).mean(axis=0) > np.sqrt((np.abs(seen) ** 2).mean()) * 0.5
    spread = np.abs(seen).std(axis=0)[strong]
    level = np.sqrt((np.abs(seen) ** 2).mean())
    assert 20 * np.log10(level / (spread.mean() * np.sqrt(2))) == pytest.approx(20, abs=1)


def test_strong_signals_saturate_and_never_wrap() -> None:
    peaky = channel()
    peaky[:, 3] *= 8
    raw = card().measure(peaky, times(), HEARD)[0].raw
    assert raw.max() == 127
    assert raw.min() == -127


def test_frames_survive_the_cards_own_bytes() -> None:
    block = measured(Radio())
    (found,) = through_bytes([block])
    np.testing.assert_array_equal(found.raw, block.raw)
    np.testing.assert_array_equal(found.table["rssi_dbm"], block.table["rssi_dbm"])
    for name in ("sequence", "capture_ns", "noise_dbm", "agc_db", "rate", "flags"):
        np.testing.assert_array_equal(found.table[name], block.table[name], name)


def test_clock_and_counter_wrap_on_the_wire_and_run_on_behind_it() -> None:
    block = measured(clock_us=2**32 - 1_000_000, count=2**16 - 50)
    nic = load("intel5300")
    on_wire = nic.parse(nic.encode(block), final=True).blocks[0].table
    assert on_wire["sequence"][[0, 50]].tolist() == [2**16 - 50, 0]
    assert (np.diff(on_wire["capture_ns"]) < 0).sum() == 1
    (found,) = through_bytes([block])
    np.testing.assert_array_equal(np.diff(found.table["capture_ns"]), np.diff(block.table["capture_ns"]))
    np.testing.assert_array_equal(np.diff(found.table["sequence"]), 1)
    assert not found.table["flags"].any()


def test_lost_packets_are_gaps_in_the_count() -> None:
    heard = np.arange(200) % 10 != 3
    block = card().measure(channel(), times(), heard)[0]
    assert len(block) == 180
    assert set(np.diff(block.table["sequence"])) == {1, 2}
    assert card().measure(channel(), times(), ~HEARD) == []


def test_single_stream_frames_come_among_the_others_in_order() -> None:
    blocks = card(replace(IDEAL, single_stream=0.3)).measure(channel(), times(), HEARD)
    assert {block.shape for block in blocks} == {(30, 3, 2), (30, 3, 1)}
    assert {int(block.table["rate"][0]) & 0x18 for block in blocks} == {0x08, 0x00}
    found = through_bytes(blocks)
    one = {block.shape: block for block in found}
    for block in blocks:
        np.testing.assert_array_equal(one[block.shape].index, block.index)
        np.testing.assert_array_equal(one[block.shape].raw, block.raw)
    when = np.concatenate([block.table["capture_ns"] for block in found])
    order = np.argsort(np.concatenate([block.index for block in found]))
    assert (np.diff(when[order]) > 0).all()


@pytest.mark.parametrize(("rx", "tx"), [(1, 1), (2, 1), (2, 2), (3, 3)])
def test_absent_antennas_are_padded_and_named(rx: int, tx: int) -> None:
    block = card().measure(channel(rx=rx, tx=tx), times(), HEARD)[0]
    assert block.shape == (30, 3, tx)
    assert block.antennas_used.tolist() == [row < rx for row in range(3)]
    assert np.isnan(block.table["rssi_dbm"][:, rx:]).all()
    (found,) = through_bytes([block])
    np.testing.assert_array_equal(found.raw, block.raw)


def test_wide_channels_are_flagged() -> None:
    wide = Intel5300(IDEAL, intel5300_grid(bandwidth_mhz=40), np.random.SeedSequence(1))
    (found,) = through_bytes(wide.measure(channel(), times(), HEARD))
    assert found.bandwidth_mhz == 40
    assert (found.table["flags"] == FrameFlag.HT40).all()
    assert found.subcarrier_index[-1] == 58


def test_running_index_goes_on_over_chunks() -> None:
    running = card()
    first, second = (running.measure(channel(), times() + at, HEARD)[0] for at in (0.0, 2.0))
    assert second.index[0] == first.index[-1] + 1 == 200
    assert second.table["sequence"][0] == 200


def test_arrivals_never_run_backwards_and_keep_the_rate() -> None:
    rng = np.random.default_rng(0)
    traffic = Traffic(rate_hz=50, jitter=0.5, bursty=0.3, loss=0.1)
    parts = [traffic.arrivals(at, 100, rng) for at in range(0, 2000, 100)]
    when = np.concatenate([part[0] for part in parts])
    assert (np.diff(when) >= 0).all()
    assert when[-1] == pytest.approx(40, rel=0.01)
    assert np.concatenate([part[1] for part in parts]).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("wrong", [{"rate_hz": 0}, {"loss": 1.0}, {"bursty": -0.1}, {"jitter": -1.0}])
def test_impossible_traffic_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"outside|shares"):
        Traffic(**wrong)


def test_unknown_cards_are_named() -> None:
    with pytest.raises(UnknownFormatError, match="intel5300"):
        simulated_nic("ouija")
