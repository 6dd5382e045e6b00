"""`roomtone export`: a trained model as one file for other programs."""

from pathlib import Path
from typing import Annotated

import onnx
import typer

from models.errors import SelectionError
from models.training.console import reported
from models.zoo import CardError, read_model

app = typer.Typer(add_completion=False)
CARD = "roomtone_card"
"""Key of the ONNX metadata that holds the card, TOML."""


@app.command(epilog="Example: roomtone export out -o counting.onnx")
def command(
    folder: Annotated[Path, typer.Argument(help="Folder that `roomtone train` wrote.", metavar="FOLDER")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="ONNX file to write.")],
) -> None:
    """Write a trained model as one ONNX file with its card inside (metadata `roomtone_card`).

    Digest and ONNX's own checker are asked first. docs/onnx-contract.md says what goes in and out.
    """
    with reported():
        try:
            shelved = read_model(folder)
        except (CardError, OSError) as error:
            raise SelectionError(f"no trained model in {folder}: {error}") from error
        model = onnx.load_model_from_string(shelved.onnx)
        onnx.checker.check_model(model, full_check=True)
        text = (folder / "card.toml").read_text(encoding="utf-8")
        onnx.helper.set_model_props(model, {CARD: text})
        try:
            output.write_bytes(model.SerializeToString(deterministic=True))
        except OSError as error:
            raise SelectionError(f"cannot write {output}: {error}") from error
    card = shelved.card
    typer.echo(f"{output}: {card.name}, {card.task}, fed {card.features}, {output.stat().st_size} bytes")
