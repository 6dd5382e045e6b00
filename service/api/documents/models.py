"""Bodies about models."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from service.api.documents.common import Cursor

_FILE = {"type": "string", "format": "binary"}


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


class ModelForm(BaseModel):
    """Parts of an upload; `core` is the file `core.npz` that a card of `roomtone train` names."""

    model_config = ConfigDict(
        json_schema_extra={
            "properties": {
                "file": {**_FILE, "description": "The model, ONNX, at most 16 MiB."},
                "card": {"type": "string", "description": "Its card, TOML, as a field or a file."},
                "core": {**_FILE, "description": "core.npz beside the card, where it names one."},
            },
            "required": ["file", "card"],
        }
    )


class NewModel(ModelCard):
    """The card of a model that was added.

    `loaded`: whether this site loads the shelf `local` (`models.shelves`). `window_ms` is how long one window
    took; null where the same request was answered before.
    """

    loaded: bool
    window_ms: float | None


class ModelPage(BaseModel):
    """Model cards."""

    items: list[ModelCard]
    next_cursor: Cursor
