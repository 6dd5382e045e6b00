"""`roomtone convert --group`: the records of one frame together, whatever else stands between them."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drivers import nexmon
from service.cli.main import cli
from tests.drivers.nexmon_frames import START_NS, records

WIDE, NARROW = 0x0016EA000001, 0x0016EA000002
FRAMES = 30


@pytest.mark.parametrize("command", ["convert", "decode"])
def test_frames_of_two_shapes_stay_in_order(command: str, tmp_path: Path) -> None:
    """One sender's frames are two packets of 80 MHz, the other's one of 20 MHz: a parse gives two blocks."""
    wide = records(2 * FRAMES, transmitter=WIDE, members=((0, 0), (1, 0)))
    narrow = records(FRAMES, transmitter=NARROW, bandwidth=20, first=500, start_ns=START_NS + 100_000)
    data = nexmon.opening()
    for row in range(FRAMES):
        data += wide[2 * row] + narrow[row] + wide[2 * row + 1]
    file, made = tmp_path / "a.pcap", tmp_path / "a.npz"
    file.write_bytes(data)
    result = CliRunner().invoke(cli, [command, str(file), "--group", "-o", str(made)])
    assert result.exit_code == 0, result.output
    with np.load(made) as archive:
        arrays = {key: archive[key] for key in ("csi", "transmitter", "sequence", "bandwidth_mhz", "flags")}
    assert arrays["csi"].shape == (2 * FRAMES, 256, 2, 1)
    assert arrays["transmitter"].tolist() == [WIDE, NARROW] * FRAMES
    assert arrays["sequence"].tolist() == [n for row in range(FRAMES) for n in (row, 500 + row)]
    assert arrays["bandwidth_mhz"].tolist() == [80, 20] * FRAMES
    assert not arrays["flags"].any()
    assert np.abs(arrays["csi"][::2, :, 1]).min(axis=1).max() > 0  # both cores are there
