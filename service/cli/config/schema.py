"""`roomtone config schema`: JSON Schema of `site.toml`."""

import json

import typer

from service.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone config schema > site.schema.json")
def schema() -> None:
    """JSON Schema (2020-12) of site.toml, for editors that complete and check TOML."""
    document = Settings.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Roomtone site.toml"}
    typer.echo(json.dumps({**document, **head}, indent=2))
