"""Models and keys of the site."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["viewer", "operator", "admin"]


class ModelCard(msgspec.Struct, frozen=True):
    """A model card; `simulated`: it saw nothing but simulated rooms."""

    name: str
    version: str
    task: str
    trained_on: str
    shelf: str
    licence: str
    digest: str
    simulated: bool
    classes: list[Any] = []
    nics: list[str] = []
    metrics: dict[str, Any] = {}


class Key(msgspec.Struct, frozen=True):
    """A key, without its secret."""

    id: str
    role: Role
    status: str
    created_at: datetime
    room: str | None = None
    name: str = ""
    expires_at: datetime | None = None


class NewKey(Key, frozen=True, kw_only=True):
    """A new key; `key` is told this once."""

    key: str
