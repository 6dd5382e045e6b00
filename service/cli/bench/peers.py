"""csiread's side of `bench decode`, told in advance what it must be told about each capture."""

from collections.abc import Callable
from pathlib import Path

from drivers.registry import Nic

PEER = "csiread"


def _csiread_intel(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: most antennas and streams."""
    import csiread

    streams = max(block.shape[2] for block in nic.parse(file.read_bytes(), final=True).blocks)

    def decode() -> int:
        reader = csiread.Intel(str(file), nrxnum=3, ntxnum=streams, if_report=False)
        reader.read()
        return len(reader.csi)

    return decode


def _csiread_atheros(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: shape, and whether a byte leads or the order."""
    import csiread

    whole = nic.parse(file.read_bytes(), final=True)
    tones, nr, nc = (max(block.shape[axis] for block in whole.blocks) for axis in range(3))
    has_lead_byte = whole.account.container_bytes > 0
    kind = csiread.AtherosPull10 if has_lead_byte else csiread.Atheros
    words = {} if has_lead_byte else {"endian": "little" if whole.state == "<" else "big"}

    def decode() -> int:
        reader = kind(str(file), nrxnum=nr, ntxnum=nc, tones=tones, if_report=False)
        reader.read(**words)
        return len(reader.csi)

    return decode


def _csiread_nexmon(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: chip and bandwidth."""
    import csiread

    data = file.read_bytes()
    (block,) = nic.parse(data[:65536], final=False).blocks
    chip = _CHIP_NAMES[int.from_bytes(data[_CHIP_AT : _CHIP_AT + 2], "little")]

    def decode() -> int:
        reader = csiread.Nexmon(str(file), chip=chip, bw=block.bandwidth_mhz, if_report=False)
        reader.read()
        return len(reader.csi)

    return decode


_CHIP_AT = 24 + 16 + 42 + 16  # in a pcap file's first record: behind headers of file, record, network, CSI
_CHIP_NAMES = {0x0001: "4339", 0x0065: "43455c0", 0x0003: "4358", 0xDEAD: "4358", 0x006A: "4366c0"}
PEERS: dict[str, Callable[[Nic, Path], Callable[[], int]]] = {
    "atheros": _csiread_atheros,
    "intel5300": _csiread_intel,
    "nexmon": _csiread_nexmon,
}
"""NIC -> what makes the peer's decoder of a file; it returns the frames it found."""
