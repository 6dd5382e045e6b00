"""Model cards: what a model is, what it was trained on, under which licence, and how well it did."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

SIMULATION = "simulation"
"""`trained_on` of a model that saw nothing but simulated rooms."""


Output = Literal["ordinal", "softmax", "metres"]
"""What logits are: those of P(class > k), ``[..., classes - 1]``; one a class; or x and y, ``[..., 2]``."""
OUTPUTS: tuple[Output, ...] = get_args(Output)


class CardError(ValueError):
    """A model card lacks a field or contradicts its model."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model card (``card.toml`` beside ``model.onnx``).

    Attributes:
        trained_on: ``"simulation"``, or the name of the data set.
        shelf: ``"open"`` or ``"research"``; `licence` says under which terms the weights may be used.
        features: version of the feature set the backbone was trained on.
        classes: what the logits stand for, in order; empty where they are metres.
        output: how the logits are meant, see `models.tasks.decode`.
        nics: NICs whose frames it was trained on, simulated ones for simulation; it speaks for no other.
        rooms: rooms whose places it learned; empty where it may speak in any.
        digest: sha256 of ``model.onnx``, hex.
        calibration: numbers the task needs to turn logits into probabilities and intervals.
        document: the whole card, with data, seeds and metrics.
    """

    name: str
    version: str
    task: str
    trained_on: str
    shelf: str
    licence: str
    features: str
    classes: tuple[str, ...]
    output: Output
    nics: tuple[str, ...]
    digest: str
    calibration: Mapping[str, Any]
    document: Mapping[str, Any]
    rooms: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether it saw nothing but simulation."""
        return self.trained_on == SIMULATION


def parse_card(text: str, where: str) -> Card:
    """The card in this TOML; `where` names it in errors.

    Raises:
        CardError: it is not TOML, or a field is missing.
    """
    try:
        document = tomllib.loads(text)
        return Card(
            **{name: document[name] for name in _TEXTS},
            classes=tuple(str(name) for name in document["classes"]),
            output=_output(document.get("output", "ordinal"), where),
            nics=tuple(str(name) for name in document["nics"]),
            calibration=document["calibration"],
            rooms=tuple(str(name) for name in document.get("rooms", [])),
            document=document,
        )
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{where}: not TOML: {error}") from error
    except KeyError as error:
        raise CardError(f"{where}: field {error} is missing") from error


def _output(text: str, where: str) -> Output:
    for known in OUTPUTS:
        if text == known:
            return known
    raise CardError(f"{where}: output {text!r} is none of {', '.join(OUTPUTS)}")


def to_toml(card: Mapping[str, Any]) -> str:
    """Plain values first, then one table for each mapping; JSON's strings, numbers and lists are TOML's."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in card.items() if not isinstance(value, Mapping)]
    for key, value in card.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *(f"{name} = {_inline(inner)}" for name, inner in value.items())]
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {json.dumps(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


_TEXTS = ("name", "version", "task", "trained_on", "shelf", "licence", "features", "digest")
