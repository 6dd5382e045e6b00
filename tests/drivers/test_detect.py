"""What a file is: one NIC, several, or something else that people take for a capture."""

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from drivers import registry
from drivers.errors import UnknownFormatError
from drivers.foreign import foreign
from drivers.registry import detect
from drivers.source import identify, nic_of
from tests.drivers.esp32_frames import row
from tests.drivers.samples import SAMPLES


def picoscenes(device: int) -> bytes:
    """The start of a PicoScenes frame."""
    basic = b"\x08RxSBasic" + (1).to_bytes(2, "little") + device.to_bytes(2, "little")
    return (
        (1798).to_bytes(4, "little")
        + b"\x15\x03\x15\x20"
        + b"\x01\x00\x03\x25\x00\x00\x00"
        + basic
        + bytes(600)
    )


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, csi=np.zeros(3))
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("capture.dat", SAMPLES["intel5300"].file(3))
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("empty.dat"))
    return file.getvalue()


MISTAKES = {
    "PicoScenes capture from an Intel 5300": picoscenes(0x5300),
    "PicoScenes capture from a Qualcomm Atheros QCA9300": picoscenes(0x9300),
    "PicoScenes capture from device 0x2000": picoscenes(0x2000),
    "MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128) + bytes(300),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(300),
    "NumPy array": npy(),
    "ZIP archive (or .npz)": npz(),
    "ZIP archive": zipped(),
    "tar archive": tarred(),
    "packed twice (.xz inside)": lzma.compress(b"x" * 100),
    "packed twice (.gz inside)": gzip.compress(b"x" * 100),
    "packet capture without a Nexmon": b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(12) + b"\x01\x00\x00\x00",
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "a web page": b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
    "text, not a capture: it begins with 'import numpy as np'": b"import numpy as np\n" * 20,
    "a CSV table without CSI_DATA": b"time,room,people\n1,a,2\n2,a,2\n",
    "no whole row of an ESP32": row()[:120] + b"\n",
    "nothing but zeros": bytes(4096),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_wrong_file_is_named(what: str) -> None:
    assert what in str(foreign(MISTAKES[what]))
    with pytest.raises(UnknownFormatError, match="not a CSI capture"):
        detect(MISTAKES[what])


def test_bytes_that_say_nothing_are_shown() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 600, np.uint8).tobytes()
    assert foreign(noise) is None
    with pytest.raises(UnknownFormatError, match=noise[:16].hex(" ")):
        detect(noise)


def test_no_capture_of_ours_is_taken_for_something_else() -> None:
    for sample in SAMPLES.values():
        assert detect(sample.file(3))[1]


def claiming(why: str) -> Callable[[str], SimpleNamespace]:
    """`registry.load` of NICs that all claim any bytes."""
    return lambda name: SimpleNamespace(NAME=name, sniff=lambda _head: why)


def test_several_claims_are_an_error_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "names", lambda: ["one", "two"])
    monkeypatch.setattr(registry, "load", claiming("it looks so"))
    with pytest.raises(UnknownFormatError, match=r"one: it looks so; two: it looks so\); .*--nic"):
        detect(b"abc")


def test_the_reason_comes_with_the_nic(tmp_path: Path) -> None:
    path = tmp_path / "capture.csv"
    path.write_bytes(SAMPLES["esp32"].file(3))
    for name in ("auto", "esp32"):
        nic, why = identify(path, name)
        assert (nic.NAME, why) == ("esp32", "3 CSI_DATA rows of 26 columns")
    with pytest.raises(UnknownFormatError, match=r"not a capture of Intel 5300 .*: text with CSI_DATA"):
        nic_of(path, "intel5300")


@pytest.mark.shared
def test_real_files_of_others(captures: Path) -> None:
    for path, what in [
        ("other/picoscenes_rx_by_iwl5300.csi", "PicoScenes capture from an Intel 5300"),
        ("other/picoscenes_rx_by_qca9300.csi", "PicoScenes capture from a Qualcomm Atheros QCA9300"),
        ("refs/matlab_example.mat", "MATLAB file"),
        ("intel5300/csidata_hr_csi2.dat", "text, not a capture"),
    ]:
        with pytest.raises(UnknownFormatError, match=what):
            nic_of(captures / path)
