"""`roomtone config show`: the settings that count, and where each comes from."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from service.cli.site import ConfigFile, DataDir
from service.configuration.fields import Key, keys_of
from service.configuration.findings import DEFAULT, origin_of, shown
from service.configuration.load import Loaded, load
from service.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone config show --config site.toml --json")
def show(
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Every setting with its value and where that comes from: default, line, variable or flag.

    Passwords are hidden. What the API or the store changed later is not here: rooms and rules live there.
    """
    rows = list(rows_of(load(config, {"data_dir": data_dir})))
    if as_json:
        typer.echo(json.dumps({key: {"value": value, "source": source} for key, value, source in rows}))
        return
    table = Table("key", "value", "source")
    for key, value, source in rows:
        table.add_row(key, json.dumps(value, ensure_ascii=False), source)
    Console(width=None if Console().is_terminal else 200).print(table)


def rows_of(loaded: Loaded) -> list[tuple[str, Any, str]]:
    """Key, value as JSON has it, and source of every setting; a section that is off is one row."""
    document = loaded.settings.model_dump(mode="json")
    rows: dict[str, tuple[str, Any, str]] = {}
    for name in keys_of(Settings):
        key, value = _value(document, tuple(name.split(".")))
        text = ".".join(map(str, key))
        source = origin_of(key, loaded.origins) if _is_given(loaded.settings, key) else DEFAULT
        rows[text] = (text, _hidden(text, value), source or DEFAULT)
    return list(rows.values())


def _is_given(settings: BaseModel, key: Key) -> bool:
    """Whether somebody gave the setting itself, not only others of its section."""
    at: Any = settings
    for part in key:
        if not isinstance(at, BaseModel):
            break
        if part not in at.model_fields_set:
            return False
        at = getattr(at, str(part))
    return True


def _value(document: dict[str, Any], key: tuple[str, ...]) -> tuple[Key, Any]:
    """The value at a key, or at the section around it that is off."""
    at: Any = document
    for place, part in enumerate(key):
        at = at[part]
        if at is None:
            return key[: place + 1], None
    return key, at


def _hidden(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _hidden(f"{key}.{name}", one) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(key, one) for one in value]
    return shown(key, str(value) if isinstance(value, Path) else value)
