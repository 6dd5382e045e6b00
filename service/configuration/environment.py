"""Settings in the environment: `ROOMTONE_SERVER__PORT=8080`; lists and tables are JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from service.configuration.fields import Key, is_structured, meant, model_at, section_of, text_of
from service.configuration.findings import Finding

PREFIX: Final = "ROOMTONE_"


@dataclass(slots=True)
class Given:
    """Settings from one place: the nested values, where each was given, and what is wrong already."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_environment(model: type[BaseModel], environ: Mapping[str, str]) -> Given:
    """What the variables say; a section as JSON comes before its single keys, which count more.

    A variable without `__` that names no setting is somebody else's, and passed over.
    """
    given = Given()
    for variable in sorted(environ, key=lambda name: (name.count("__"), name)):
        if not variable.upper().startswith(PREFIX):
            continue
        key = tuple(variable[len(PREFIX) :].lower().split("__"))
        section = model_at(model, key)
        known = section is not None and key[-1] in section.model_fields
        if known and section is not None:
            _take(given, variable, key, environ[variable], section.model_fields[key[-1]].annotation)
        elif len(key) > 1 and not _inside_table(model, key):
            near = meant(model, key)
            hint = f"; did you mean {variable_of(near)}?" if near else ""
            given.findings.append(Finding(variable, text_of(key), f"there is no such key{hint}"))
    return given


def variable_of(key: str) -> str:
    """The variable that gives a setting."""
    return PREFIX + key.replace(".", "__").upper()


def _take(given: Given, variable: str, key: tuple[str, ...], text: str, annotation: object) -> None:
    value: Any = text
    if is_structured(annotation) or section_of(annotation) is not None:
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            example = """a list is written like '["open"]'"""
            message = f"it must be JSON ({error}); {example}"
            given.findings.append(Finding(variable, text_of(key), message))
            return
    at = given.values
    for part in key[:-1]:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            return  # the section was given as something else, which is told by its own variable
    at[key[-1]] = value
    given.origins[key] = variable


def _inside_table(model: type[BaseModel], key: tuple[str, ...]) -> bool:
    """Whether the variable names a member of a free table, which is given as JSON in one variable."""
    section = model_at(model, key[:-1])
    found = section.model_fields.get(key[-2]) if section is not None else None
    return found is not None and is_structured(found.annotation)
