"""Captures on disk: plain, packed, missing, damaged, of another kind."""

import gzip
import lzma
import os
from pathlib import Path

import pytest

from drivers.errors import SourceError, UnknownFormatError
from drivers.source import nic_of, open_capture, read_chunks
from tests.drivers.intel import records

DATA = b"".join(records(9))


@pytest.mark.parametrize("pack", [bytes, lzma.compress, gzip.compress])
def test_packing_is_told_by_content(tmp_path: Path, pack: "type[bytes]") -> None:
    path = tmp_path / "capture.dat"
    path.write_bytes(pack(DATA))
    assert b"".join(read_chunks(path, 1000)) == DATA
    assert max(map(len, read_chunks(path, 1000))) <= 1000
    assert nic_of(path).NAME == "intel5300"


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
def test_damaged_packing_names_the_file(tmp_path: Path, pack: "type[bytes]") -> None:
    path = tmp_path / "capture.dat.xz"
    path.write_bytes(pack(DATA)[:-20])
    with pytest.raises(SourceError, match=r"capture\.dat\.xz"):
        list(read_chunks(path))


def test_what_comes_before_damaged_packing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "capture.dat.gz"
    path.write_bytes(gzip.compress(DATA, 0)[:-1000])
    assert nic_of(path).NAME == "intel5300"
    chunks = read_chunks(path, 1000)
    got = b"".join(next(chunks) for _ in range(len(DATA) // 2000))
    with pytest.raises(SourceError, match=r"capture\.dat\.gz"):
        got += b"".join(chunks)
    assert len(got) >= len(DATA) // 2000
    assert DATA.startswith(got)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"), open_capture(tmp_path / "none.dat"):
        pass
    with pytest.raises(SourceError, match="directory"):
        nic_of(tmp_path)


def test_what_cannot_be_read_twice_is_no_capture(tmp_path: Path) -> None:
    """A FIFO would be waited for, for ever, by the second look; a device may have no end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(SourceError, match="no file"):
            nic_of(path)


def test_wrong_nic_empty_file_and_other_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(b"")
    with pytest.raises(UnknownFormatError, match="empty"):
        nic_of(path)
    with pytest.raises(UnknownFormatError, match="empty"):
        nic_of(path, "intel5300")
    path.write_text("import numpy as np\n" * 50)
    with pytest.raises(UnknownFormatError, match=r"a\.dat"):
        nic_of(path)
    with pytest.raises(UnknownFormatError, match="not a capture of Intel 5300"):
        nic_of(path, "intel5300")
    with pytest.raises(UnknownFormatError, match=r"known: .*intel5300"):
        nic_of(path, "intel6300")
