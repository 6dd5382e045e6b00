"""Settings of a site as commands take them: `site.toml`, environment, flags."""

from pathlib import Path
from typing import Annotated, Any

import typer

from drivers.curve import CurveKeys
from service.bus.registry import curve_folder
from service.cli.errors import CommandError
from service.configuration.load import load
from service.settings import Settings

ConfigFile = Annotated[Path | None, typer.Option(help="Settings of the site (TOML).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the store and the local bus.")]


def site_settings(config: Path | None, **flags: Any) -> Settings:  # noqa: ANN401 - any settings field
    """Settings from file, environment and those flags that are not None.

    Raises:
        ConfigurationError: the file is missing or not TOML, or settings do not fit; it names every mistake.
    """
    return load(config, flags).settings


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
