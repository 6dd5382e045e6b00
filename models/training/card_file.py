"""A trained model on disk: ``model.onnx``, ``card.toml``, ``results.json``, and its learning curve."""

import json
from pathlib import Path

from models.learners.base import Curve
from models.training.build import Built
from models.zoo.card import to_toml


def write(built: Built, folder: Path, *, results: bool = True) -> None:
    """Write the model, its card and its core; with `results` also ``results.json`` and ``curve.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(built.onnx)
    if built.core:
        (folder / "core.npz").write_bytes(built.core)
    (folder / "card.toml").write_text(to_toml(built.card), encoding="utf-8")
    if results:
        (folder / "results.json").write_text(json.dumps(built.results, indent=2) + "\n", encoding="utf-8")
        if built.curve.training:
            _plot(built.curve, str(built.card["name"]), folder / "curve.png")


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


__all__ = ["to_toml", "write"]
