"""Shipped models: one folder each, ``<shelf>/<name>/{model.onnx,card.toml,core.npz}``."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from models.zoo.card import OUTPUTS, SIMULATION, Card, CardError, Output, parse_card
from models.zoo.core import Core

SHELVES = ("open", "research")
"""Shelves that are shipped; `local` is a folder of the site's."""
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class ShelvedModel:
    """A card and the bytes of its model, digest checked; `core`: what it remembers of its training."""

    card: Card
    onnx: bytes
    core: Core | None = None


def shelved(shelves: Sequence[str], local: Path | None = None) -> list[ShelvedModel]:
    """Models on these shelves, by shelf and name; a shelf that ships nothing is empty.

    Args:
        shelves: names.
        local: where the site keeps the models of the shelf `local`.

    Raises:
        CardError: a card is damaged, or a model is not the one its card describes.
    """
    return [read_model(folder) for shelf in shelves for folder in _folders(shelf, local)]


def find_model(name: str, shelves: Sequence[str], local: Path | None = None) -> ShelvedModel | None:
    """The model of this name; of several the one on the last shelf, as `shelved` orders them.

    Raises:
        CardError: a card is damaged, or the model is not the one its card describes.
    """
    found = None
    for shelf in shelves:
        for folder in _folders(shelf, local):
            text = (folder / "card.toml").read_text(encoding="utf-8")
            if parse_card(text, f"{folder.name}/card.toml").name == name:
                found = folder
    return None if found is None else read_model(found)


def read_model(folder: Traversable) -> ShelvedModel:
    """The model in one folder.

    Raises:
        CardError: a card is damaged, or a model is not the one its card describes.
    """
    card = parse_card((folder / "card.toml").read_text(encoding="utf-8"), f"{folder.name}/card.toml")
    onnx = (folder / "model.onnx").read_bytes()
    digest = hashlib.sha256(onnx).hexdigest()
    if digest != card.digest:
        raise CardError(f"{folder.name}/model.onnx has digest {digest}, its card says {card.digest}")
    return ShelvedModel(card, onnx, _core(folder / "core.npz", card))


def _core(path: Traversable, card: Card) -> Core | None:
    if "core" not in card.document:
        return None
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != card.document["core"]:
        raise CardError(f"{card.name}/core.npz is not the one its card describes")
    return Core.from_bytes(data)


def _folders(shelf: str, local: Path | None) -> Iterator[Traversable]:
    place = local if shelf == LOCAL else files(__name__) / shelf
    if place is not None and place.is_dir():
        yield from sorted(
            (entry for entry in place.iterdir() if (entry / "card.toml").is_file()),
            key=lambda entry: entry.name,
        )


__all__ = [
    "LOCAL",
    "OUTPUTS",
    "SHELVES",
    "SIMULATION",
    "Card",
    "CardError",
    "Core",
    "Output",
    "ShelvedModel",
    "find_model",
    "parse_card",
    "read_model",
    "shelved",
]
