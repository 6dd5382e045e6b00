"""Settings of a site as commands take them: `site.toml`, environment, flags; mistakes in one line."""

import reprlib
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from drivers.curve import CurveKeys
from service.bus.registry import curve_folder
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
    except UnicodeDecodeError as error:
        raise CommandError(f"{config} is not TOML: {error}; it must be UTF-8 text") from error
    except SettingsError as error:
        raise CommandError(
            f"settings do not fit (environment): {error}: {error.__cause__}; "
            """lists are JSON there, e.g. ROOMTONE_MODELS__SHELVES='["open"]'"""
        ) from error
    except ValidationError as error:
        wrong = "; ".join(_in_words(problem) for problem in error.errors(include_url=False))
        raise CommandError(f"settings do not fit ({config or 'environment and flags'}): {wrong}") from error


def delivery(
    to: str | None, config: Path | None, data_dir: Path | None = None
) -> tuple[str, CurveKeys | None]:
    """Endpoint to deliver to, and keys for it: `to` as it is, or by default this site's with its own keys.

    Raises:
        CommandError: as `site_settings`; the site has no keys, which its service or an enrolment makes.
        BusError: the site's keys cannot be used.
    """
    if to is not None:
        return to, None
    settings = site_settings(config, data_dir=data_dir)
    keys = curve_folder(settings)
    if keys is not None and not keys.path.exists():
        raise CommandError(f"no keys at {keys.path}: is --data-dir the one of the service?")
    return settings.ingest.endpoint, None if keys is None else keys.local_keys()


def _in_words(problem: ErrorDetails) -> str:
    """Which key, which value, and what is wrong with it."""
    key = ".".join(map(str, problem["loc"])) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"{key}: there is no such key (docs/configuration.md lists them)"
    if isinstance(problem["input"], dict):
        return f"{key}: {problem['msg']}"
    return f"{key} = {reprlib.repr(problem['input'])}: {problem['msg']}"
