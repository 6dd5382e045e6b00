"""Files that are no capture of a NIC we read, but that people take for one: what they are, what to do.

A wrong file should cost its owner one message. Nothing here decides that bytes are a NIC's; the NICs' own
`sniff` does, before.
"""

import re
from collections.abc import Callable

PICOSCENES_MAGIC = 0x20150315
"""Second word of a PicoScenes frame (wifisensing/PicoScenes-MATLAB-Toolbox-Core)."""
_DEVICES = {0x5300: "an Intel 5300", 0x9300: "a Qualcomm Atheros QCA9300"}
_TAR_AT = 257
_MAGICS: tuple[tuple[bytes, str], ...] = (
    (
        b"MATLAB 5.0 MAT-file",
        "a MATLAB file: computed results, not a card's records; give the capture itself",
    ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 or MATLAB 7.3 file: computed results; give the capture itself"),
    (b"PAR1", "a Parquet table: computed results; give the capture itself"),
    (b"\x93NUMPY", "a NumPy array: computed results; give the capture itself"),
    (b"PK\x03\x04", "a ZIP archive (or .npz): unpack it, then give the capture in it"),
    (b"\xfd7zXZ\x00", "packed twice (.xz inside): unpack it once"),
    (b"\x1f\x8b", "packed twice (.gz inside): unpack it once"),
    (b"BZh", "a bzip2 archive: unpack it (only .xz and .gz are read packed)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it (only .xz and .gz are read packed)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it (only .xz and .gz are read packed)"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file: fetch it with git lfs pull"),
)
_PCAP = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_PRINTABLE = re.compile(rb"[\t\r\n\x20-\x7e\x80-\xff]*")
_FIRST_BYTES = 256


def foreign(head: bytes) -> str | None:
    """What these first bytes of a file are and what to do, in one phrase; None if they say nothing.

    Args:
        head: the file's start, as much as there is; some kilobytes are enough.
    """
    looks: tuple[Callable[[bytes], str | None], ...] = (_magic, _picoscenes, _packets, _zeros, _text)
    return next((found for look in looks if (found := look(head)) is not None), None)


def _magic(head: bytes) -> str | None:
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "a tar archive: unpack it, then give the capture in it"
    return next((what for magic, what in _MAGICS if head.startswith(magic)), None)


def _picoscenes(head: bytes) -> str | None:
    """Layout: u32 length, u32 magic, u16 version, u8 segments; then these, the first of them RxSBasic."""
    if int.from_bytes(head[4:8], "little") != PICOSCENES_MAGIC:
        return None
    at, device = head.find(b"RxSBasic", 0, 256), ""
    if at >= 0 and len(head) >= at + 12:
        kind = int.from_bytes(head[at + 10 : at + 12], "little")
        device = f" from {_DEVICES.get(kind, f'device 0x{kind:04x}')}"
    version = int.from_bytes(head[8:10], "little")
    return (
        f"a PicoScenes capture{device} (frames of version {version}), which is not supported yet: "
        "read it with the PicoScenes toolboxes, or record with the card's own CSI tool"
    )


def _packets(head: bytes) -> str | None:
    if not head.startswith(_PCAP):
        return None
    return (
        f"a packet capture without a Nexmon CSI packet in its first {len(head)} bytes: record UDP port 5500 "
        "on the card's host, after makecsiparams and nexutil have switched CSI on"
    )


def _zeros(head: bytes) -> str | None:
    if len(head) < 64 or head.strip(b"\0"):
        return None
    return "nothing but zeros: a file that was allocated and never written"


def _text(head: bytes) -> str | None:
    start = head[:_FIRST_BYTES]
    if len(start) < 16 or not _PRINTABLE.fullmatch(start) or not _is_text(start):
        return None
    if b"CSI_DATA," in head:
        return "text with CSI_DATA, but no whole row of an ESP32: rows must be as the firmware printed them"
    first = start.lstrip().split(b"\n", 1)[0].decode(errors="replace").strip()
    shown = first if len(first) <= 60 else f"{first[:57]}..."
    if first.lower().startswith(("<!doctype", "<html")):
        return "a web page, not the file: download the raw file"
    kind = "a CSV table without CSI_DATA rows" if first.count(",") >= 2 else "text, not a capture"
    return f"{kind}: it begins with {shown!r}"


def _is_text(start: bytes) -> bool:
    """Whether almost all of it is ASCII; accents are few in a text."""
    return sum(byte < 0x80 for byte in start) >= 0.9 * len(start)
