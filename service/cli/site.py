"""Settings of a site as commands take them: `site.toml`, environment, flags; mistakes in one line."""

import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from service.cli.errors import CommandError
from service.settings import Settings, load_settings

ConfigFile = Annotated[Path | None, typer.Option(help="Settings of the site (TOML).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the store and the local bus.")]


def site_settings(config: Path | None, **flags: Any) -> Settings:  # noqa: ANN401 - any settings field
    """Settings from file, environment and those flags that are not None.

    Raises:
        CommandError: the file is missing or not TOML, or a setting does not fit.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return load_settings(config, **given)
    except FileNotFoundError as error:
        raise CommandError(str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{config} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise CommandError(f"settings do not fit ({config or 'environment and flags'}): {wrong}") from error


def until_told() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT came since this was called."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: told.append(got))
    return lambda: bool(told)
