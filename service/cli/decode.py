"""`roomtone decode`: a capture as raw complex values in a NumPy archive."""

from pathlib import Path
from typing import Annotated

import typer

from drivers.errors import UnknownFormatError
from drivers.source import nic_of
from service.cli.archive import write_archive
from service.cli.capture import progress

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone decode capture.dat -o capture.npz")
def decode(
    file: Annotated[Path, typer.Argument(help="Capture (.xz, .gz too).")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="NumPy archive to write (.npz).")],
    nic: Annotated[str, typer.Option(help="NIC of the capture; auto tells it by the bytes.")] = "auto",
) -> None:
    """Write the raw channel: unscaled, nothing removed, zero-padded to the capture's largest shape.

    Arrays: csi complex64 [frame, subcarrier, rx, tx], rows of rx are physical antennas; timestamp_ns (the
    NIC's clock, unwrapped; where it jumps back that is kept, and flagged), sequence, rssi_dbm [frame, rx],
    noise_dbm, agc_db, rate, flags, bandwidth_mhz, subcarrier_index ([subcarrier], or [frame, subcarrier] if
    the bandwidth changes), and scale: csi * scale is in units of sqrt(SNR), with an unknown noise floor (NaN
    in noise_dbm) taken as -92 dBm.
    """
    module = nic_of(file, nic)
    with progress(file, "decoding", quiet=False) as told:
        account = write_archive(file, module, output, told)
    if not account.frames:
        raise UnknownFormatError(f"{file}: no frame in {account.total_bytes} bytes; nothing was written")
    rejected = ", ".join(f"{count} {reason}" for reason, count in account.rejected.items())
    typer.echo(f"{output}: {account.frames:,} frames" + (f"; rejected: {rejected}" if rejected else ""))
