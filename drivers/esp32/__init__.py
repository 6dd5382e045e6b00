"""ESP32 with the ESP32-CSI-Tool or esp-csi: CSV rows, from a file or the serial port, parsed and written.

Each value is a signed byte, the imaginary part before the real one (ESP-IDF, "Wi-Fi Channel State
Information"). A packet has up to three training fields, by its kind; all have the legacy one (LLTF), and the
ESP32-CSI-Tool prints no other. So `raw` is the LLTF of every row, 64 values over the primary 20 MHz, whatever
the packet: a link keeps one shape and one grid. See `drivers.esp32.tones` for the order.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.esp32.columns import TOOL, Columns
from drivers.esp32.frames import frames_of
from drivers.esp32.lines import Lines
from drivers.esp32.rows import encode as encode
from drivers.frame import FrameBlock
from drivers.registry import Parsed

NAME = "esp32"
TITLE = "ESP32 (ESP32-CSI-Tool, esp-csi)"
CLOCK_WRAP_NS: int | None = 2**32 * 1000
SEQUENCE_WRAP: int | None = 2**32
"""Of esp-csi's `id`; rows of the ESP32-CSI-Tool are not numbered (`sequence` is then `NO_SEQUENCE`)."""
GROUP_WITHIN_NS: int | None = None
TELLS_TRANSMITTER = True


def sniff(head: bytes) -> str | None:
    """Why these first bytes are an ESP32's CSV, or None: at least one whole row, or a header line."""
    lines = Lines(head, final=True, columns=None)
    lines.walk()
    if lines.rows:
        rows = sum(len(rows.bodies) for rows in lines.rows.values())
        return f"{rows} CSI_DATA rows of {', '.join(str(len(c.names)) for c in lines.rows)} columns"
    return "the header line of CSI_DATA rows" if lines.headers else None


def parse(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
    """All frames in `data`, grouped by order of the subcarriers and whether their first word is valid.

    Header lines are the container. Skipped: ``empty`` (blank lines), ``non_csi`` (log text). Rejected:
    ``truncated`` (a row without its end), ``bad_row`` (a field that is no number of its kind, a column too
    many), ``bad_length`` (another count of values than `len` says), ``no_lltf``, ``unsupported_chip`` (rows
    that do not say in which order their subcarriers stand: ESP32-C5 and C6), ``not_text``, ``too_long``.
    """
    lines = Lines(bytes(data), final=final, columns=state if isinstance(state, Columns) else None)
    lines.walk()
    blocks = [block for rows in lines.rows.values() for block in frames_of(rows, lines.account)]
    return Parsed(_counted(blocks), lines.consumed, lines.account, lines.columns)


def _counted(blocks: list[FrameBlock]) -> list[FrameBlock]:
    """The blocks, whose `index` counts rows, with one that counts frames."""
    if not blocks:
        return []
    places: npt.NDArray[np.int64] = np.sort(np.concatenate([block.index for block in blocks]))
    return [replace(block, index=np.searchsorted(places, block.index).astype(np.int64)) for block in blocks]


def opening() -> bytes:
    """The header line of the ESP32-CSI-Tool."""
    return TOOL.encode() + b"\n"


def wrap(datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
    """One line of the serial port, or what one datagram held, as lines of a file.

    The file has no room for the time of the host.
    """
    del host_ns, link_layer
    return datagram if datagram.endswith(b"\n") else datagram + b"\n"
