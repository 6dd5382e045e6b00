"""`roomtone convert`: captures for other people's tools, as NumPy, HDF5 or Parquet."""

from pathlib import Path
from typing import Annotated

import typer

from drivers.source import nic_of
from service.cli.archive import FORMATS, Capture
from service.cli.decode import Group, Nic, Order, run
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone convert monday.dat tuesday.dat --to h5 --folder converted")
def convert(
    files: Annotated[list[Path], typer.Argument(readable=False, help="Captures (.xz, .gz too).")],
    *,
    to: Annotated[str, typer.Option(help="npz, h5 or parquet.")] = "npz",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write, for a single capture; its suffix counts."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default beside each capture.")
    ] = None,
    nic: Nic = "auto",
    group: Group = False,
    iq_order: Order = "as_recorded",
) -> None:
    r"""Write each capture as an archive with the arrays of `roomtone decode`.

    HDF5: datasets of the same names, csi compressed, NIC and source as attributes. Parquet: a row a frame,
    csi_real and csi_imag as float32 lists; their shape, the NIC and the subcarriers are in the schema's
    metadata. Needs: pip install 'roomtone\[convert]'.
    """
    for file, target in _targets(files, output, folder, f".{to.removeprefix('.')}"):
        run(Capture(file, nic_of(file, nic), iq_order, group), target)


def _targets(
    files: list[Path], output: Path | None, folder: Path | None, suffix: str
) -> list[tuple[Path, Path]]:
    """What is written for each capture."""
    if output is not None:
        if len(files) > 1:
            raise CommandError("-o names one file: give one capture, or --folder for several")
        return [(files[0], output)]
    if suffix not in FORMATS:
        raise CommandError(
            f"no archive format {suffix[1:]!r}; there are: {', '.join(s[1:] for s in FORMATS)}"
        )
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    targets = [(folder or file.parent) / f"{file.name}{suffix}" for file in files]
    if len(set(targets)) < len(targets):
        raise CommandError("two captures have the same name: convert them one by one, with -o")
    return list(zip(files, targets, strict=True))
