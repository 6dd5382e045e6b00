"""Records to damage: our own of every shape, and those of real captures where they are at hand."""

from dataclasses import dataclass
from pathlib import Path

from drivers.errors import DriverError
from drivers.registry import Nic
from drivers.source import nic_of
from tests.drivers.samples import SAMPLES

SAMPLE_FRAMES = 200
CAPTURE_FRAMES = 40
CAPTURE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Material:
    """What a NIC's fuzzing starts from.

    `records`: whole records, each the frame of its raw values. `captures`: beginnings of real files.
    """

    records: list[tuple[bytes, bytes]]
    captures: list[bytes]


def material(nic: Nic, captures: Path | None) -> Material:
    """Records of this NIC; `captures` is a folder with one folder a NIC in it."""
    block = SAMPLES[nic.NAME].block(SAMPLE_FRAMES)
    records = [
        (nic.encode(block.take(slice(row, row + 1))), block.raw[row].tobytes()) for row in range(len(block))
    ]
    real = []
    for path in sorted((captures / nic.NAME).glob("*")) if captures else []:
        try:
            if nic_of(path).NAME != nic.NAME:
                continue
        except DriverError:
            continue
        real.append(path.read_bytes()[:CAPTURE_BYTES])
        for found in nic.parse(real[-1], final=True).blocks:
            few = found.take(slice(0, CAPTURE_FRAMES))
            rows = [few.take(slice(row, row + 1)) for row in range(len(few))]
            records += [(nic.encode(row), row.raw.tobytes()) for row in rows]
    return Material(records, real)
