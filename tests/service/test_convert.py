"""`roomtone convert`: the same arrays in NumPy, HDF5 and Parquet, for every NIC."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from drivers.registry import names
from service.cli.main import cli
from tests.drivers.samples import SAMPLES


def converted(file: Path, *words: str) -> str:
    result = CliRunner().invoke(cli, ["convert", str(file), *words])
    assert result.exit_code == 0, result.output
    return result.output


def from_parquet(path: Path) -> dict[str, Any]:
    table = pq.read_table(path)
    shape = [int(size) for size in table.schema.metadata[b"csi_shape"].split(b"x")]
    parts = [np.stack(table[name].to_numpy()) for name in ("csi_real", "csi_imag")]
    csi = (parts[0] + 1j * parts[1]).reshape(-1, *shape)
    return {"csi": csi, "nic": table.schema.metadata[b"nic"].decode(), "table": table}


@pytest.mark.parametrize("nic", names())
def test_every_format_holds_the_same(nic: str, tmp_path: Path) -> None:
    file = tmp_path / "a.cap"
    file.write_bytes(SAMPLES[nic].file(40))
    for suffix in ("npz", "h5", "parquet"):
        assert "40 records" in converted(file, "--to", suffix)
    with np.load(tmp_path / "a.cap.npz") as archive:
        plain = {key: archive[key] for key in archive.files}
    assert str(plain["nic"]) == nic
    assert np.array_equal(plain["csi"], SAMPLES[nic].block(40).csi())
    with h5py.File(tmp_path / "a.cap.h5") as file5:
        assert file5.attrs["nic"] == nic
        assert file5["csi"].attrs["axes"] == "frame, subcarrier, rx, tx"
        for key in set(plain) - {"nic"}:
            np.testing.assert_array_equal(file5[key][()], plain[key])
    table = from_parquet(tmp_path / "a.cap.parquet")
    assert table["nic"] == nic
    np.testing.assert_array_equal(table["csi"], plain["csi"])
    np.testing.assert_array_equal(table["table"]["timestamp_ns"].to_numpy(), plain["timestamp_ns"])
    np.testing.assert_array_equal(np.stack(table["table"]["rssi_dbm"].to_numpy()), plain["rssi_dbm"])


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    file.write_bytes(SAMPLES["intel5300"].file(3))
    for words in (
        [str(file), "--to", "mat"],
        [str(file), "-o", str(tmp_path / "out.csv")],
        [str(file), str(file), "-o", str(tmp_path / "out.h5")],
        [str(file), str(file), "--to", "h5"],
    ):
        result = CliRunner().invoke(cli, ["convert", *words])
        assert result.exit_code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.dat"]
