"""The settings as a tree of keys: which there are, what each takes, and which one was probably meant."""

import types
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

Key = tuple[str | int, ...]
"""Path of a setting; numbers count the members of a list from 0."""


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted names of all settings below a section, members of lists left out."""
    for name, field in model.model_fields.items():
        section = section_of(field.annotation)
        yield from [prefix + name] if section is None else keys_of(section, f"{prefix}{name}.")


def section_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type
    """The section that a type is, optional or not; None for a value."""
    return next(
        (one for one in _members(annotation) if isinstance(one, type) and issubclass(one, BaseModel)), None
    )


def is_structured(annotation: Any) -> bool:  # noqa: ANN401 - any type
    """Whether values of this type are lists or tables, which are JSON in the environment."""
    return any((get_origin(one) or one) in {list, dict, tuple, set} for one in _members(annotation))


def model_at(model: type[BaseModel], key: Sequence[str | int]) -> type[BaseModel] | None:
    """The section that holds the last part of a key; None where there is no such section."""
    found: type[BaseModel] | None = model
    for part in key[:-1]:
        if found is None:
            return None
        if isinstance(part, int):
            continue
        field = found.model_fields.get(part)
        found = None if field is None else section_of(field.annotation) or _item(field.annotation)
    return found


def meant(model: type[BaseModel], key: Key) -> str | None:
    """The key that was probably meant by one that there is not."""
    section, last = model_at(model, key), str(key[-1])
    beside = get_close_matches(last, section.model_fields, n=1, cutoff=0.6) if section is not None else []
    if beside:
        return text_of((*key[:-1], beside[0]))
    known = list(keys_of(model))
    near = get_close_matches(text_of(key), known, n=1, cutoff=0.7)
    return next(iter([*near, *(name for name in known if name.rpartition(".")[2] == last)]), None)


def text_of(key: Key) -> str:
    """The key as people write it: `rooms[0].links`; lists count from 0, as in JSON."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return "".join(parts).removeprefix(".")


def _members(annotation: Any) -> list[Any]:  # noqa: ANN401 - any type
    """The types that a value may have; annotations of a type are left out."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return [one for part in get_args(annotation) for one in _members(part)]
    if hasattr(annotation, "__metadata__"):
        return _members(annotation.__origin__)
    return [annotation]


def _item(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type
    """The section that members of a list are."""
    for one in _members(annotation):
        if get_origin(one) is list:
            return section_of(get_args(one)[0])
    return None
