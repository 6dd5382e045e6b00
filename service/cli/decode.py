"""`roomtone decode`: a capture as raw complex values in a NumPy archive."""

from pathlib import Path
from typing import Annotated

import typer

from drivers.errors import UnknownFormatError
from drivers.iq import IqOrder
from drivers.source import nic_of
from service.cli.archive import Capture, write_archive
from service.cli.capture import progress

app = typer.Typer(add_completion=False)
Nic = Annotated[str, typer.Option(help="NIC of the capture; auto tells it by the bytes.")]
Group = Annotated[bool, typer.Option("--group", help="(Nexmon) One row a frame, not one a core and stream.")]
Order = Annotated[
    IqOrder,
    typer.Option(
        "--iq-order",
        help="(Nexmon) imag_first swaps real and imaginary of frames marked iq_suspect; never done unasked.",
    ),
]


@app.command(epilog="Example: roomtone decode capture.dat -o capture.npz")
def decode(
    file: Annotated[Path, typer.Argument(readable=False, help="Capture (.xz, .gz too).")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="NumPy archive to write (.npz).")],
    nic: Nic = "auto",
    group: Group = False,
    iq_order: Order = "as_recorded",
) -> None:
    """Write the raw channel: unscaled, nothing removed, zero-padded to the capture's largest shape.

    Arrays: csi complex64 (frame, subcarrier, rx, tx), rows of rx are physical antennas, subcarriers in the
    NIC's own order; timestamp_ns (the NIC's clock, unwrapped; where it jumps back that is kept, and flagged),
    sequence, rssi_dbm (frame, rx), noise_dbm, agc_db, rate, flags, transmitter (MAC as a number), core and ss
    (Nexmon), centre_mhz (0 unknown), bandwidth_mhz; subcarrier_index, subcarrier_hz and tones (0 data, 1
    pilot, 2 null, 3 overwritten by the firmware), each (subcarrier), or (frame, subcarrier) if they change;
    milliwatts (frame, rx): |csi|^2 times it is the power that the RSSI tells; and scale: for the Intel
    5300 (NaN elsewhere) csi * scale is in units of sqrt(SNR), an unknown noise floor taken as -92 dBm.
    """
    run(Capture(file, nic_of(file, nic), iq_order, group), output, suffix=".npz")


def run(capture: Capture, output: Path, *, suffix: str | None = None) -> None:
    """Write the archive and say what it holds.

    Raises:
        UnknownFormatError: there is no frame in the capture.
    """
    with progress(capture.file, "decoding", quiet=False) as told:
        account = write_archive(capture, output, told, suffix=suffix)
    if not account.frames:
        raise UnknownFormatError(
            f"{capture.file}: no frame in {account.total_bytes} bytes; nothing was written"
        )
    rejected = ", ".join(f"{count} {reason}" for reason, count in account.rejected.items())
    typer.echo(f"{output}: {account.frames:,} records" + (f"; rejected: {rejected}" if rejected else ""))
