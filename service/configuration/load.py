"""Settings from file, environment and flags, or every mistake in them."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.configuration.environment import Given, read_environment
from service.configuration.fields import Key
from service.configuration.findings import Finding, findings_of
from service.configuration.toml_lines import lines_of
from service.errors import ServiceError
from service.settings import Settings, settings_of


class ConfigurationError(ServiceError):
    """The settings do not fit; `findings` are all mistakes."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        listed = f" {findings[0]}" if len(findings) == 1 else "".join(f"\n  {one}" for one in findings)
        super().__init__(f"settings do not fit:{listed}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each was given; what stands in no origin is the default."""

    settings: Settings
    origins: Mapping[Key, str] = field(default_factory=dict)


def load(config: Path | None, flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Loaded:
    """Settings from `config` (a TOML file), environment and flags, later ones winning.

    Raises:
        ConfigurationError: the file cannot be read or is not TOML, or something does not fit.
    """
    given = [Given() if config is None else _read_file(config)]
    given += [read_environment(Settings, os.environ if environ is None else environ), _of_flags(flags)]
    values: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    for one in given:
        _merge(values, one.values)
        origins = {key: told for key, told in origins.items() if not _replaced(key, one)} | one.origins
    findings = [finding for one in given for finding in one.findings]
    try:
        settings = settings_of(values)
    except ValidationError as error:
        raise ConfigurationError(findings + findings_of(error, Settings, origins)) from error
    if findings:
        raise ConfigurationError(findings)
    return Loaded(settings, origins)


def _read_file(path: Path) -> Given:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigurationError(
            [Finding(str(path), "", "does not exist; name a site.toml that does, or leave --config out")]
        ) from error
    except OSError as error:
        raise ConfigurationError([Finding(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Finding(str(path), "", f"not TOML, which is UTF-8: {error}")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Finding(str(path), "", f"not TOML: {error}")]) from error
    origins = {key: f"{path}:{line}" for key, line in lines_of(text).items()}
    return Given(values, origins)


def _of_flags(flags: Mapping[str, Any]) -> Given:
    values = {name: value for name, value in flags.items() if value is not None}
    return Given(values, {(name,): f"--{name.replace('_', '-')}" for name in values})


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _replaced(key: Key, by: Given) -> bool:
    """Whether a value is of no account any more: a list given again replaces its members."""
    at: Any = by.values
    for part in key:
        if not isinstance(at, dict) or part not in at:
            return not isinstance(at, dict)
        at = at[part]
    return not isinstance(at, dict)
