"""Putting a model of one's own on the local shelf: `roomtone models add` and POST /v1/models do the same.

A site loads the shelf when `models.shelves` names it. A running one sees by itself that something was added
(`service.inference.local_shelf`): nothing is started again.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from models.zoo import SHELVES, Card, CardError, parse_card, read_model, shelved
from service.errors import ServiceError
from service.inference.checking import ModelRefusedError, check_model

CORE = "core.npz"
_DIGEST = re.compile(r"^digest\s*=.*$", re.MULTILINE)


class ModelThereError(ServiceError):
    """A model of that name is on a shelf already."""


def add_model(shelf: Path, model: Path, card: Path, core: Path | None) -> tuple[dict[str, Any], Card]:
    """Check a model and put it on this shelf; what the check told, and the card as it stands there.

    Args:
        shelf: folder of the shelf `local`.
        model: the ONNX file.
        card: its card.
        core: what it remembers of its training, if the card names such a file.

    Raises:
        ModelRefusedError: it breaks the contract.
        CheckerMissingError: it cannot be checked here.
        ModelThereError: the name is taken, here or on a shipped shelf.
    """
    told = check_model(model, card)
    folder = shelf / str(told["name"])
    _see_free(folder)
    staged = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    shutil.copyfile(model, staged / "model.onnx")
    text = f'digest = "{told["digest"]}"\n{_DIGEST.sub("", card.read_text(encoding="utf-8"), count=1)}'
    (staged / "card.toml").write_text(text, encoding="utf-8")
    if core is not None and "core" in parse_card(text, card.name).document:
        shutil.copyfile(core, staged / CORE)
    kept = _readable(staged)
    try:
        staged.rename(folder)
    except OSError as error:
        shutil.rmtree(staged)
        raise ModelThereError(f"{folder.name} came to be there meanwhile") from error
    return {**told, "folder": str(folder)}, kept


def _see_free(folder: Path) -> None:
    if folder.exists():
        raise ModelThereError(f"{folder} is there already: give the card another name")
    if folder.name in {one.card.name for one in shelved(SHELVES)}:
        raise ModelThereError(f"a model {folder.name!r} is shipped: give the card another name")


def _readable(staged: Path) -> Card:
    """See that a site can load what is about to be on its shelf: one it cannot stops the worker."""
    try:
        return read_model(staged).card
    except CardError as error:
        shutil.rmtree(staged)
        raise ModelRefusedError(
            [f"card: {error}; keep {CORE} beside the card as `train` wrote it"]
        ) from error


__all__ = ["CORE", "ModelThereError", "add_model"]
