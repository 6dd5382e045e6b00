"""Bodies about models."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from service.api.documents.common import Cursor


class ModelCard(BaseModel):
    """A model card; `simulated`: it saw nothing but simulated rooms."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: str
    task: str
    trained_on: str
    shelf: str
    licence: str
    digest: str
    classes: list[Any]
    nics: list[str]
    simulated: bool


class ModelPage(BaseModel):
    """Model cards."""

    items: list[ModelCard]
    next_cursor: Cursor
