"""A trained model on disk: ``model.onnx``, ``card.toml``, ``results.json``, and its learning curve."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.learners.base import Curve
from models.training.build import Built


def write(built: Built, folder: Path, *, results: bool = True) -> None:
    """Write ``model.onnx``, ``card.toml`` and, with `results`, ``results.json`` and ``curve.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(built.onnx)
    (folder / "card.toml").write_text(to_toml(built.card), encoding="utf-8")
    if results:
        (folder / "results.json").write_text(json.dumps(built.results, indent=2) + "\n", encoding="utf-8")
        if built.curve.training:
            _plot(built.curve, str(built.card["name"]), folder / "curve.png")


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


def _plot(curve: Curve, title: str, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, losses in (
        ("training", curve.training),
        ("held-out source", curve.validation),
    ):
        axes.plot(range(1, len(losses) + 1), losses, label=name)
    axes.set(xlabel="epoch", ylabel="loss", title=title)
    axes.legend()
    figure.savefig(path, dpi=120)
