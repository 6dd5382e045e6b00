"""`roomtone bench models`: size of every shipped model, and what one window of it costs on one core."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from models.runtime import Backbone
from models.signal.inputs import INPUTS, Measured
from models.signal.view import View
from models.signal.window import Window
from models.zoo import SHELVES, shelved
from service.cli.bench.bare import full_windows, median_s, simulated_streams

app = typer.Typer(add_completion=False)
RATE_HZ, SECONDS = 100.0, 12.0
MOST_BYTES, MOST_MS = 1_000_000, 0.5
"""What a shipped model may weigh, and may take for one window on one core."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one model: bytes of its file; processor milliseconds a window, model alone and its input alone."""

    model: str
    shelf: str
    features: str
    bytes: int
    model_ms: float
    input_ms: float

    @property
    def dear(self) -> bool:
        """Whether it is more than a shipped model may cost."""
        return self.bytes > MOST_BYTES or self.model_ms > MOST_MS


def cost(backbone: Backbone, size: int, windows: list[Window]) -> Cost:
    """Median over rounds, warm, of all windows in turn."""
    card = backbone.card
    read = INPUTS[card.features]
    seen = [read(View(window)) for window in windows]

    def run() -> None:
        for one in seen:
            backbone.run(one.values, one.mask)

    def look() -> list[Measured]:
        return [read(View(window)) for window in windows]

    return Cost(
        card.name,
        card.shelf,
        card.features,
        size,
        model_ms=_ms(median_s(run), windows),
        input_ms=_ms(median_s(look), windows),
    )


def _ms(seconds: float, windows: list[Window]) -> float:
    return round(1e3 * seconds / len(windows), 4)


@app.command(epilog="Example: roomtone bench models --json")
def models(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Size and processor time a window of the shipped models; `roomtone models check` tells it of your own.

    Windows are simulated ones of an Intel 5300, 4 s of 100 packets a second. The input, features and all, is
    made once for all models that are fed it.
    """
    stream = b"".join(simulated_streams(RATE_HZ, SECONDS, quiet=as_json)[0])
    windows = full_windows(stream)
    found = [cost(Backbone(one), len(one.onnx), windows) for one in shelved(SHELVES)]
    if as_json:
        typer.echo(json.dumps({"windows": len(windows), "items": [asdict(one) for one in found]}))
    else:
        Console(highlight=False).print(_table(found))


def _table(found: list[Cost]) -> Table:
    table = Table(Column("model", no_wrap=True), "shelf", "fed", "bytes", "model, ms", "its input, ms")
    for one in found:
        row = (one.model, one.shelf, one.features, f"{one.bytes:,}", f"{one.model_ms:.3f}")
        table.add_row(*row, f"{one.input_ms:.2f}", style="yellow" if one.dear else None)
    table.caption = f"of one window; a model may have {MOST_BYTES:,} bytes and take {MOST_MS:g} ms"
    return table
