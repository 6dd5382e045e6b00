"""`roomtone config export`: rooms, links and alert rules of the store into a file."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from service.cli.config.site_store import opened
from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir
from service.configuration.site_document import SiteDocument, plain
from service.configuration.table_text import write_table
from service.configuration.toml_text import toml_text
from service.store.site_import import read_site

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone config export site-rooms.toml")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; .toml or .json, .csv with --csv; - is stdout.")],
    *,
    csv: Annotated[
        Literal["rooms", "links"] | None, typer.Option(help="A table of these alone, for spreadsheets.")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write the rooms, links, zones, tags and alert rules that the store holds; nothing measured, no keys."""
    with opened(config, data_dir) as store:
        document = read_site(store)
    text = _text(document, file, csv)
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
    counts = {
        "rooms": len(document.rooms),
        "links": len(document.links),
        "alert rules": len(document.alert_rules),
    }
    told = [f"{count} {name}" for name, count in counts.items() if csv in {None, name}]
    typer.echo(f"{file}: {', '.join(told)}")


def _text(document: SiteDocument, file: Path, csv: Literal["rooms", "links"] | None) -> str:
    if csv is not None:
        return write_table(csv, [one.model_dump(mode="json") for one in getattr(document, csv)])
    if file.suffix == ".json":
        return json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n"
    if file.suffix == ".toml" or str(file) == "-":
        return toml_text(plain(document))
    raise CommandError(f"{file}: the name must end in .toml or .json; a table is asked for with --csv")
