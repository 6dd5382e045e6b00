"""Files of rooms, links and rules: TOML or JSON documents, CSV tables; every mistake with its line."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.cli.errors import CommandError
from service.configuration.fields import Key
from service.configuration.findings import Finding, findings_of
from service.configuration.site_document import SiteDocument
from service.configuration.table_text import TableError, read_table
from service.configuration.toml_lines import lines_of


def read_file(path: Path, held: SiteDocument) -> SiteDocument:
    """The document of a file; rows of a table change what is `held`, and leave the rest of it.

    Raises:
        CommandError: it cannot be read or does not fit; it names every mistake.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")  # a cell of a table keeps its own line ends
        values, origins = _parsed(path, text, held)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except TableError as error:
        raise _misfit(error.findings) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CommandError(f"{path} is not {_kind(path).upper()}: {error}") from error
    try:
        wanted = SiteDocument.model_validate(values)
    except ValidationError as error:
        raise _misfit(findings_of(error, SiteDocument, origins)) from error
    _check_rooms(wanted, held, origins)
    return wanted


def _parsed(path: Path, text: str, held: SiteDocument) -> tuple[Any, dict[Key, str]]:
    kind = _kind(path)
    if kind == "toml":
        return tomllib.loads(text), {key: f"{path}:{line}" for key, line in lines_of(text).items()}
    if kind == "json":
        return json.loads(text), {}
    table, entries, lines = read_table(text, str(path))
    key = "room" if table == "rooms" else "link"
    known = {getattr(one, key): one.model_dump(mode="json") for one in getattr(held, table)}
    merged = [_over(known.get(one.get(key, ""), {}), one) for one in entries]
    return {table: merged}, {(table, place): f"{path}:{line}" for place, line in enumerate(lines)}


def _kind(path: Path) -> str:
    kind = path.suffix.lower().removeprefix(".")
    if kind not in {"toml", "json", "csv"}:
        raise CommandError(f"{path}: the name must end in .toml, .json or .csv")
    return kind


def _over(before: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """The entry with what the row says; presence delays one by one."""
    if "presence" in row:
        row = {**row, "presence": {**before.get("presence", {}), **row["presence"]}}
    return {**before, **row}


def _check_rooms(wanted: SiteDocument, held: SiteDocument, origins: dict[Key, str]) -> None:
    """See that links belong to rooms that there are, or will be."""
    rooms = {one.room for one in (*held.rooms, *wanted.rooms)}
    wrong = [
        Finding(
            origins.get(("links", place, "room")) or origins.get(("links", place), ""),
            f"links[{place}].room",
            f"there is no room {one.room!r}, neither in the store nor here",
        )
        for place, one in enumerate(wanted.links)
        if one.room is not None and one.room not in rooms
    ]
    if wrong:
        raise _misfit(wrong)


def _misfit(findings: list[Finding]) -> CommandError:
    return CommandError("nothing was changed:\n" + "\n".join(f"  {one}" for one in findings))
