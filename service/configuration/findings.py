"""What is wrong with a configuration: one line each, with the key, where it stands, and what to do."""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.configuration.fields import Key, meant, text_of
from service.rooms.alerting.rules import without_kind

Origins = Mapping[Key, str]
"""Where settings were given: `site.toml:12`, the name of a variable, or a flag; sections count as well."""

DEFAULT: Final = "default"
_PASSWORD: Final = re.compile(r"(://[^/:@\s]*):[^/@\s]+@")
_SECRET: Final = re.compile(r"(password|secret|token)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake; without `key` it is about the file as a whole."""

    where: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


def findings_of(error: ValidationError, model: type[BaseModel], origins: Origins) -> list[Finding]:
    """Every mistake that validation found, in the order of the file."""
    return [_finding(one, model, origins) for one in error.errors(include_url=False)]


def origin_of(key: Key, origins: Origins) -> str:
    """Where a setting was given, or the section around it; empty where nobody gave it."""
    for length in range(len(key), 0, -1):
        if key[:length] in origins:
            return origins[key[:length]]
    return ""


def shown(key: str, value: object) -> object:
    """The value as people may see it: no passwords."""
    if _SECRET.search(key) and value is not None:
        return "(hidden)"
    return _PASSWORD.sub(r"\1:(hidden)@", value) if isinstance(value, str) else value


def _finding(problem: ErrorDetails, model: type[BaseModel], origins: Origins) -> Finding:
    key: Key = without_kind(problem["loc"])
    name, kind, value = text_of(key) or "settings", problem["type"], problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        near = meant(model, key)
        message = "there is no such key" + (f"; did you mean {near}?" if near else "")
    elif kind != "missing" and not isinstance(value, dict | BaseModel):
        message = f"{message}, not {reprlib.repr(shown(name, value))}"
    return Finding(origin_of(key, origins), name, message)
