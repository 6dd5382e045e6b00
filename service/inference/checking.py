"""A model of one's own, checked in a process with limited memory and time (docs/onnx-contract.md)."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.contract.limits import LARGEST_BYTES
from service.errors import ServiceError

WITHIN_S = 120
WORDS = [sys.executable, "-m", "models.contract"]


class ModelRefusedError(ServiceError):
    """The model or its card breaks the contract; `broken` says each rule, and what to do."""

    def __init__(self, broken: Sequence[str]) -> None:
        super().__init__("; ".join(broken))
        self.broken = tuple(broken)


class CheckerMissingError(ServiceError):
    """This installation cannot check models: the extra `train` is not there."""


def check_model(model: Path, card: Path) -> dict[str, Any]:
    """What the check found: name, task, features, digest, shapes, time of a window in milliseconds.

    Raises:
        ModelRefusedError: it breaks the contract, or running it did not come to an end.
        CheckerMissingError: the extra `train` is needed.
    """
    if model.stat().st_size > LARGEST_BYTES:
        raise ModelRefusedError([f"file of {model.stat().st_size} bytes: at most {LARGEST_BYTES} are taken"])
    told = _told(model, card)
    if told.get("missing"):
        raise CheckerMissingError(str(told["why"]))
    if not told["ok"]:
        raise ModelRefusedError(told["broken"])
    return told


def _told(model: Path, card: Path) -> dict[str, Any]:
    words = [*WORDS, str(model.resolve()), str(card.resolve())]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise ModelRefusedError([f"checking it took over {WITHIN_S} s"]) from error
    except json.JSONDecodeError as error:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelRefusedError([f"the process that ran it died ({done.returncode}): {last}"]) from error
    return told
