"""ESP32 CSV: column sets, training field and order, damaged rows, serial noise, and every real row."""

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from drivers import esp32
from drivers.esp32.columns import TOOL
from drivers.esp32.lines import MAX_LINE
from drivers.esp32.numbers import read_numbers
from drivers.frame import NO_SEQUENCE, FrameBlock, FrameFlag, Tone
from drivers.stream import Stream
from tests.drivers.esp32_frames import C6, ESP_CSI, VALUES, make_block, records, row

HEADER = esp32.opening()
CAPTURES = {  # frames, rejects by reason
    "csikit_example_100hz_pitraffic.csv": (833, {"bad_length": 1}),
    "csikit_example_data.csv": (60, {}),
    "csikit_example_fast2_100hz_pitraffic.csv": (1599, {}),
    "csikit_example_fast_100hz_pitraffic.csv": (1089, {}),
    "csiread_example_csi.csv": (13, {}),
}


def one_frame(data: bytes) -> FrameBlock:
    parsed = esp32.parse(data, final=True)
    assert parsed.account.total_bytes == parsed.consumed == len(data)
    (block,) = parsed.blocks
    assert len(block) == 1
    return block


def rejected(data: bytes, frames: int = 0) -> dict[str, int]:
    account = esp32.parse(data, final=True).account
    assert account.frames == frames
    assert account.total_bytes == len(data)
    return dict(account.rejected)


def test_the_imaginary_part_comes_first() -> None:
    block = one_frame(row())
    assert block.raw[0, :, 0, 0].tolist() == [
        [real, imag] for imag, real in zip(VALUES[::2], VALUES[1::2], strict=True)
    ]


def test_fields_of_a_row() -> None:
    line = row(
        sig_mode=1,
        mcs=7,
        bandwidth=1,
        rate=11,
        sgi=1,
        len=384,
        secondary_channel=1,
        local_timestamp=80272146,
        rx_state=3,
    )
    table = one_frame(line).table[0]
    assert table["rate"] == 11 | 1 << 5 | 1 << 7 | 7 << 8 | 1 << 15
    assert table["rssi_dbm"][0] == -73
    assert np.isnan(table["rssi_dbm"][1:]).all()
    assert table["noise_dbm"] == -93
    assert table["centre_mhz"] == 2437
    assert table["transmitter"] == 0x3C71BF6D2A78
    assert table["capture_ns"] == 80_272_146_000
    assert table["sequence"] == NO_SEQUENCE
    assert table["flags"] == FrameFlag.PHY_ERROR


@pytest.mark.parametrize(("channel", "mhz"), [(1, 2412), (13, 2472), (14, 2484), (36, 5180), (0, 0), (20, 0)])
def test_channel_centre(channel: int, mhz: int) -> None:
    assert one_frame(row(channel=channel)).table["centre_mhz"][0] == mhz


def test_a_secondary_channel_changes_the_order_not_the_grid() -> None:
    alone, beside = one_frame(row()), one_frame(row(secondary_channel=2))
    assert alone.subcarrier_index.tolist() == [*range(32), *range(-32, 0)]
    assert beside.subcarrier_index.tolist() == [*range(-32, 32)]
    for block in (alone, beside):
        kinds = dict(zip(block.subcarrier_index.tolist(), block.tones.tolist(), strict=True))
        first = set(block.subcarrier_index[:2].tolist())
        assert {k for k, kind in kinds.items() if kind == Tone.OVERWRITTEN} == first
        assert {k for k, kind in kinds.items() if kind == Tone.PILOT} == {-21, -7, 7, 21}
        used = {k for k in range(-26, 27) if k} - first
        assert {k for k, kind in kinds.items() if kind <= Tone.PILOT} == used


def test_a_valid_first_word_is_used() -> None:
    block = one_frame(row(ESP_CSI, first_word=0))
    assert block.tones[:2].tolist() == [Tone.NULL, Tone.DATA]


def test_known_columns_need_no_header() -> None:
    numbered = one_frame(row(ESP_CSI, separator=",", id=-2))
    assert numbered.table["sequence"][0] == 2**32 - 2
    assert np.array_equal(numbered.raw, one_frame(row()).raw)


def test_a_header_names_other_columns_and_counts_as_container() -> None:
    columns = "type,seq,protocol,mac,dmac,rssi,secondary_channel,cwb,local_timestamp,len,data"
    data = columns.encode() + b"\r\n" + row(columns, seq=9).replace(b"\n", b"\r\n")
    parsed = esp32.parse(data, final=True)
    assert parsed.blocks[0].table["sequence"].tolist() == [9]
    assert parsed.account.container_bytes == len(columns) + 2


def test_the_header_is_remembered_from_chunk_to_chunk_and_replaced_by_the_next() -> None:
    columns = "type,mac,rssi,secondary_channel,local_timestamp,len,data"
    stream = Stream(esp32)
    blocks = [*stream.feed(columns.encode() + b"\n"), *stream.feed(row(columns)), *stream.feed(HEADER)]
    blocks += stream.feed(row()) + stream.finish()
    assert [len(block) for block in blocks] == [1, 1]
    assert not stream.account.rejected


def test_another_firmwares_header_does_not_spoil_known_rows() -> None:
    """A live stream opens with the CSI tool's header, whatever the board runs."""
    parsed = esp32.parse(HEADER + row(ESP_CSI, id=3, separator=",") + row(), final=True)
    assert [block.table["sequence"].tolist() for block in parsed.blocks] == [[3], [NO_SEQUENCE]]
    assert rejected(HEADER + row(ESP_CSI).replace(b",0,", b",", 1)) == {"bad_row": 1}


def test_what_follows_the_bracket_is_ignored() -> None:
    """A logger that appends the host's time to each line."""
    assert len(one_frame(row()[:-1] + b",1607774756.965976\n")) == 1


def test_a_last_row_without_line_feed_is_whole() -> None:
    assert len(one_frame(row()[:-1])) == 1
    assert rejected(row()[:-3]) == {"truncated": 1}


def test_127_values_cost_one_row() -> None:
    data = HEADER + row() + row(values=VALUES[1:], len=128) + row()
    assert rejected(data, frames=2) == {"bad_length": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(rssi="x"), "bad_row"),
        (row(rssi=400), "bad_row"),
        (row(mac="3C:71:BF:6D:2A"), "bad_row"),
        (row().replace(b",AP,", b","), "bad_row"),
        (row().replace(b",AP,", b",AP,0,"), "bad_row"),
        (row(secondary_channel=7), "bad_row"),
        (row(values=[*VALUES[:-1], 300]), "bad_row"),
        (row(values=[*VALUES[:-1], 1234]), "bad_row"),
        (row(values=[-1, 200, *VALUES[2:]]), "bad_row"),
        (row().replace(b" ]", b"-]"), "bad_row"),
        (row().replace(b" ]", b"x]"), "bad_row"),
        (row(len=256, values=VALUES[:100]), "bad_length"),
        (row(len=130, values=[*VALUES, 1, 2]), "bad_length"),
        (row(len=0, values=[]), "bad_length"),
        (row(len=256, bandwidth=1), "no_lltf"),
        (C6.encode() + b"\n" + row(C6), "unsupported_chip"),
        (row(C6), "unsupported_chip"),
        (row()[:200] + b"\n", "truncated"),
    ],
)
def test_one_bad_row_costs_that_row(line: bytes, reason: str) -> None:
    data = row() + line + row()
    if line.startswith(b"type,"):
        data += HEADER + row() + row()
    assert esp32.parse(data, final=True).account.rejected[reason] >= 1
    assert esp32.parse(HEADER + row() + row() + line, final=True).account.frames == 2
    assert esp32.parse(line + HEADER + row() + row(), final=True).account.frames == 2


def test_a_row_that_lost_its_end_does_not_take_the_next_one_along() -> None:
    assert rejected(row()[:150] + row(), frames=1) == {"truncated": 1}


def test_log_text_blank_lines_and_noise_are_told_apart() -> None:
    noise = b"\x8f\x01\xfe\x00~\n"
    data = b"I (1234) wifi:connected\n" + row() + b"\n\r\n" + b"I (99) csi: " + row() + noise
    account = esp32.parse(data, final=True).account
    assert account.frames == 2
    assert dict(account.skipped) == {"non_csi": 2, "empty": 2}
    assert dict(account.rejected) == {"not_text": 1}
    assert account.total_bytes == len(data)


def test_a_line_without_end_is_dropped_in_bounded_pieces_however_it_is_cut() -> None:
    data = row() + b"x" * (2 * MAX_LINE + 100) + b"\n" + row()
    accounts = []
    for size in (len(data), 1000, MAX_LINE, 7):
        stream = Stream(esp32)
        for at in range(0, len(data), size):
            stream.feed(data[at : at + size])
            assert stream.left_over < MAX_LINE
        stream.finish()
        accounts.append(stream.account)
    assert all(account == accounts[0] for account in accounts)
    assert accounts[0].frames == 2
    assert accounts[0].rejected["too_long"] == 2


def test_bytes_printed_unsigned_are_the_same() -> None:
    """An older ESP32-CSI-Tool prints them so."""
    unsigned = one_frame(row(values=[value % 256 for value in VALUES]))
    assert np.array_equal(unsigned.raw, one_frame(row()).raw)


def test_clock_printed_signed_and_wrapping_runs_on() -> None:
    stream = Stream(esp32)
    times = [2**31 - 5, -(2**31) + 5, -5, 5]
    blocks = stream.feed(b"".join(row(local_timestamp=time) for time in times))
    steps = np.diff(np.concatenate([block.table["capture_ns"] for block in blocks]))
    assert steps.tolist() == [10_000, (2**31 - 10) * 1000, 10_000]


def test_zeros_are_flagged_whatever_the_first_word_holds() -> None:
    assert one_frame(row(values=[38, 96, 2, 0, *[0] * 124])).table["flags"][0] == FrameFlag.ALL_ZERO
    assert one_frame(row()).table["flags"][0] == FrameFlag.NONE


def test_both_orders_and_a_mixed_stream_keep_their_places() -> None:
    one, two = records(2), records(2, rising=True, seed=1)
    parsed = esp32.parse(one[0] + two[0] + b"CSI_DATA,cut\n" + one[1] + two[1], final=True)
    assert sorted(block.index.tolist() for block in parsed.blocks) == [[0, 2], [1, 3]]
    for block, made in zip(parsed.blocks, (make_block(2), make_block(2, rising=True, seed=1)), strict=True):
        assert np.array_equal(block.raw, made.raw)


@pytest.mark.parametrize("change", ["int16", "first word", "order"])
def test_encode_refuses_what_the_tool_cannot_print(change: str) -> None:
    fields = {name: getattr(make_block(1), name) for name in FrameBlock.__slots__}
    fields |= {
        "int16": {"raw": fields["raw"].astype(np.int16)},
        "first word": {"tones": np.zeros(64, np.uint8)},
        "order": {"subcarrier_index": np.arange(64, dtype=np.int16)},
    }[change]
    with pytest.raises(ValueError, match=r"esp32|ESP32"):
        esp32.encode(FrameBlock(**fields))


def test_numbers_of_rows_of_any_size() -> None:
    numbers = read_numbers([b"", b"1,-2 ,\t30", b" ", b"-128", b"5-6", b"--7", b"- 8", b"255", b"256"])
    assert numbers.count.tolist() == [0, 3, 0, 1, 2, 1, 1, 1, 1]
    assert numbers.values[:3].tolist() == [1, -2, 30]
    assert numbers.sound.tolist() == [True, True, True, True, False, False, False, True, False]


def straightforward(path: Path) -> tuple[list[tuple[int, int, str, list[int]]], Counter[str]]:
    """(microseconds, RSSI, MAC, values) of every good row, read as anybody would; and the bad ones."""
    frames, bad = [], Counter[str]()
    with path.open(newline="") as file:
        for cells in csv.reader(file):
            if cells[0] != "CSI_DATA":
                continue
            values = [int(value) for value in re.findall(r"-?\d+", cells[-1])]
            if len(values) != 128:
                bad["bad_length"] += 1
                continue
            frames.append((int(cells[18]), int(cells[3]), cells[2], values))
    return frames, bad


@pytest.mark.shared
@pytest.mark.parametrize("name", CAPTURES)
def test_every_real_row_is_a_frame_or_counted(captures: Path, name: str) -> None:
    path = captures / "esp32" / name
    expected, bad = straightforward(path)
    data = path.read_bytes()
    parsed = esp32.parse(data, final=True)
    assert (parsed.account.frames, dict(parsed.account.rejected)) == CAPTURES[name]
    assert (len(expected), bad) == (parsed.account.frames, parsed.account.rejected)
    assert parsed.account.total_bytes == len(data)
    assert parsed.account.frames + sum(bad.values()) == data.count(b"\nCSI_DATA,") + data.startswith(
        b"CSI_DATA,"
    )
    for block in parsed.blocks:
        for at, frame in enumerate(block.index.tolist()):
            micros, rssi, mac, values = expected[frame]
            assert block.raw[at, :, 0, 0, ::-1].ravel().tolist() == values
            assert block.table["capture_ns"][at] == micros * 1000
            assert block.table["rssi_dbm"][at, 0] == rssi
            assert block.table["transmitter"][at] == int(mac.replace(":", ""), 16)


@pytest.mark.shared
@pytest.mark.parametrize("name", CAPTURES)
def test_real_guard_bands_are_where_the_order_says(captures: Path, name: str) -> None:
    """Next to nothing beyond the 26th subcarrier, a channel within: so order and field are those assumed."""
    for block in esp32.parse((captures / "esp32" / name).read_bytes(), final=True).blocks:
        size = np.abs(block.csi()[:, :, 0, 0]).mean(axis=0)
        outside = (np.abs(block.subcarrier_index) > 27) & (block.tones == Tone.NULL)
        assert size[outside].max() == 0
        assert size[block.usable].min() > 3


def test_columns_of_the_tool_are_what_its_rows_have() -> None:
    assert records(1)[0].count(b",") == TOOL.count(",")
