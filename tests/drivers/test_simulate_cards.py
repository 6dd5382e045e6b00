"""Every simulated card: its frames have the card's shape and figures, and its own bytes hold them."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import UnknownFormatError
from drivers.frame import NO_SEQUENCE, FrameBlock, Tone
from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.simulate.cards import CARDS, card_model
from drivers.simulate.radio import IDEAL, Radio
from drivers.simulate.random_scene import random_scene
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import constant
from drivers.simulate.simulation import simulate
from drivers.stream import Stream

EVERY = [(nic, bandwidth) for nic, card in CARDS.items() for bandwidth in card.bandwidths_mhz]
TONES = {"intel5300": {20: 30, 40: 30}, "atheros": {20: 56, 40: 114}, "nexmon": {20: 64, 40: 128, 80: 256}}


def scene(nic: str, bandwidth: int = 20, *, radio: Radio | None = None, people: int = 0) -> Scene:
    made = random_scene(9, constant(people, 4.0), nic=nic, bandwidth_mhz=bandwidth)
    return replace(made, radio=radio or Radio(), fans=(), drift_rad=0.0)


def frames(made: Scene) -> FrameBlock:
    """All frames of a scene in which one shape comes."""
    blocks = [block for chunk in simulate(made) for block in chunk.blocks]
    assert len({block.shape for block in blocks}) == 1
    return replace(
        blocks[0],
        table=np.concatenate([block.table for block in blocks]),
        raw=np.concatenate([block.raw for block in blocks]),
        index=np.concatenate([block.index for block in blocks]),
    )


def still_noise_db(block: FrameBlock, axes: tuple[int, ...]) -> float:
    """How far below their RMS amplitudes change from frame to frame; the level is taken out over `axes`."""
    size = np.abs(block.csi()[:, block.usable])
    size /= np.sqrt((size**2).mean(axis=axes, keepdims=True))
    return float(20 * np.log10(np.median(np.sqrt((np.diff(size, axis=0) ** 2).mean(axis=(1, 2, 3)) / 2))))


@pytest.mark.parametrize(("nic", "bandwidth"), EVERY)
def test_frames_survive_the_cards_own_bytes(nic: str, bandwidth: int) -> None:
    card, total = load(nic), 0
    stream = Stream(card)
    assert not stream.feed(card.opening())
    for chunk in simulate(scene(nic, bandwidth, radio=replace(Radio(), single_stream=0.2), people=1)):
        data = encode_in_order(card, chunk.blocks)
        found = stream.feed(data)
        total += len(data)
        assert encode_in_order(card, found) == data
        for was, now in zip(sorted(chunk.blocks, key=_streams), sorted(found, key=_streams), strict=True):
            _assert_same(was, now)
    assert not stream.finish()
    assert not stream.account.rejected
    assert stream.account.total_bytes == total + len(card.opening())


def _streams(block: FrameBlock) -> tuple[int, int, int]:
    return block.shape


def _assert_same(was: FrameBlock, now: FrameBlock) -> None:
    """The same frames; capture times may count from another zero."""
    for name in ("raw", "subcarrier_index", "tones", "present"):
        np.testing.assert_array_equal(getattr(now, name), getattr(was, name), name)
    assert now.bandwidth_mhz == was.bandwidth_mhz
    np.testing.assert_array_equal(np.diff(now.table["capture_ns"]), np.diff(was.table["capture_ns"]))
    for name in ("rssi_dbm", "noise_dbm", "transmitter", "agc_db", "rate", "centre_mhz", "core", "stream"):
        np.testing.assert_array_equal(now.table[name], was.table[name], name)


@pytest.mark.parametrize(("nic", "bandwidth"), EVERY)
def test_a_card_reports_its_own_subcarriers_at_its_own_bandwidths(nic: str, bandwidth: int) -> None:
    block = frames(scene(nic, bandwidth))
    assert block.nic == nic
    assert block.bandwidth_mhz == bandwidth
    assert block.shape == (
        TONES[nic][bandwidth],
        3 if nic == "intel5300" else card_model(nic).shape[0],
        card_model(nic).shape[1],
    )
    assert abs(block.subcarrier_index.astype(int)).max() <= bandwidth * 1.6


@pytest.mark.parametrize("nic", CARDS)
def test_same_seed_same_frames_and_another_card_the_same_room(nic: str) -> None:
    np.testing.assert_array_equal(frames(scene(nic)).raw, frames(scene(nic)).raw)
    link, intel = scene(nic).link, scene("intel5300").link
    assert link.room == intel.room
    np.testing.assert_allclose(link.receiver.centre, intel.receiver.centre)
    np.testing.assert_allclose(link.transmitter.centre, intel.transmitter.centre)


@pytest.mark.parametrize("nic", CARDS)
def test_people_are_where_they_are_whichever_card_listens(nic: str) -> None:
    heard, intel = (
        np.concatenate([chunk.positions for chunk in simulate(scene(one, people=2))])
        for one in (nic, "intel5300")
    )
    np.testing.assert_array_equal(heard, intel)


def test_an_unknown_card_or_bandwidth_is_named() -> None:
    with pytest.raises(UnknownFormatError, match="ouija cannot be simulated; there are: intel5300, atheros"):
        card_model("ouija")
    with pytest.raises(ValueError, match="20 or 40 MHz, not 80"):
        random_scene(1, nic="atheros", bandwidth_mhz=80)


def test_atheros_levels_say_nothing_and_jump_by_chain_as_in_the_real_capture() -> None:
    block = frames(scene("atheros"))
    level = 10 * np.log10((np.abs(block.csi()) ** 2).mean(axis=(1, 3)))
    assert (np.abs(level.std(axis=0) - 2.9) < 0.5).all()  # real: 2.75 to 3.29 dB
    assert (np.abs(np.median(level, axis=0) - 44.0) < 1.0).all()  # real: 44.1, 45.5, 43.1 dB
    for chain in level.T:
        assert abs(np.corrcoef(chain[1:], chain[:-1])[0, 1]) < 0.2
    assert np.abs(block.raw).max() <= 511
    spread = block.table["rssi_dbm"][:, :3].std(axis=0)
    assert ((spread > 0.4) & (spread < 1.0)).all()  # real: 0.68 to 0.80 dB
    assert np.isnan(block.table["rssi_dbm"][:, 3]).all()
    assert still_noise_db(block, (1, 3)) == pytest.approx(-33.3, abs=1.5)


def test_atheros_counts_nothing_and_its_clock_tells_every_packet() -> None:
    table = frames(scene("atheros")).table
    assert (table["sequence"] == NO_SEQUENCE).all()
    assert (np.diff(table["capture_ns"]) > 0).all()
    assert np.isnan(table["noise_dbm"]).all()


@pytest.mark.parametrize("bandwidth", [20, 40, 80])
def test_nexmon_levels_and_noise_are_those_of_the_real_captures(bandwidth: int) -> None:
    block = frames(scene("nexmon", bandwidth))
    measured = block.csi()[:, block.usable]
    rms = np.sqrt((np.abs(measured) ** 2).mean(axis=(1, 2, 3)))
    assert 550 < np.median(rms) < 1150  # real: 608 to 1145
    assert (20 * np.log10(rms)).std() < 1.4  # real: 0.4 to 1.3 dB
    assert np.abs(block.raw).max() <= 32640
    assert np.abs(measured.real).max() < 8191
    assert -34 < still_noise_db(block, (1, 2, 3)) < -25  # real: -25 to -34 dB


def test_nexmon_guard_bins_hold_constants_and_status_the_rssi() -> None:
    block = frames(scene("nexmon", 80))
    assert (block.subcarrier_index[[0, 1, 127, 128, 255]] == [0, 1, 127, -128, -1]).all()
    far = np.abs(block.subcarrier_index.astype(int)) > 124
    assert (block.tones[far] == Tone.NULL).all()
    assert (block.raw[:, far] == block.raw[:1, far]).all()
    assert np.abs(block.raw[0, far]).max() > 4 * np.abs(block.raw[:, block.usable]).mean()
    high_byte = block.raw[:, 1, 0, 0, 0].astype(np.int64) >> 8
    np.testing.assert_array_equal(high_byte, block.table["rssi_dbm"][:, 0])
    assert not block.usable[:3].any()


def test_nexmon_stamps_are_the_hosts_and_its_counter_counts_other_frames_too() -> None:
    made = replace(
        scene("nexmon"), traffic=replace(scene("nexmon").traffic, jitter=0.0, bursty=0.0, loss=0.0)
    )
    table = frames(made).table
    steps_ms = np.diff(table["capture_ns"]) / 1e6
    assert steps_ms.min() >= 0
    assert 0.1 < steps_ms.std() < 0.6  # real: half of them within 0.16 ms, standard deviation 0.5
    counted = np.diff(table["sequence"].astype(int)) % 4096
    assert counted.min() >= 1
    assert counted.max() > 1
    assert (table["transmitter"] == table["transmitter"][0]).all()
    assert table["transmitter"][0] >> np.uint64(40) == 2


@pytest.mark.parametrize("nic", ["atheros", "nexmon"])
def test_an_ideal_card_gives_the_channel_up_to_level_phase_and_bits(nic: str) -> None:
    made = scene(nic, radio=IDEAL)
    block = frames(made)
    seen = block.csi()[0][np.isin(block.tones, (Tone.DATA, Tone.PILOT))]
    index = block.subcarrier_index[np.isin(block.tones, (Tone.DATA, Tone.PILOT))]
    true = made.link.static[np.searchsorted(made.link.grid.index, np.sort(index))]
    seen = seen[np.argsort(index)]
    for rx in range(seen.shape[1]):
        scale = np.vdot(true[:, rx], seen[:, rx]) / np.vdot(true[:, rx], true[:, rx])
        assert np.abs(seen[:, rx] - scale * true[:, rx]).max() < 0.8
