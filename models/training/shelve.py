"""Make a model fit to ship: fit, calibrate on held-out domains, export, and write its card."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.data.samples import Samples
from models.errors import SelectionError
from models.signal.variation import VERSION as FEATURES_VERSION
from models.tasks.ordinal import class_probabilities, interval
from models.training.calibrate import COVERAGE, held_out_logits, interval_width, temperature
from models.training.export import to_onnx
from models.training.fit import Fitted, fit
from models.training.task import TaskSpec

MODEL_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model is trained on, as its card says it."""

    trained_on: str
    licence: str
    shelf: str
    nics: tuple[str, ...]
    data: str
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """A fitted model with everything its card needs."""

    fitted: Fitted
    name: str
    card: Mapping[str, Any]
    onnx: bytes


def build(
    samples: Samples,
    spec: TaskSpec,
    origin: Origin,
    *,
    name: str,
    seeds: int = 3,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> Shelf:
    """A model of all samples, judged and calibrated on domains that others like it did not see.

    Raises:
        SelectionError: fewer than two domains, or a class is missing.
    """
    labels = spec.labels(samples)
    domains = list(dict.fromkeys(samples.domain.tolist()))
    if len(domains) < 2 or len(np.unique(labels)) < len(spec.classes):
        raise SelectionError(
            f"training {spec.name} needs two domains or more and every class; there are domains {domains} "
            f"with classes {np.unique(labels).tolist()}"
        )
    held = []
    for seed in range(seeds):
        progress(f"held-out domains, seed {seed + 1} of {seeds}", seed / (seeds + 1))
        held.append(held_out_logits(samples, spec, seed))
    progress("final model", seeds / (seeds + 1))
    calibration, metrics = _judge(held, spec, samples)
    fitted = replace(fit(samples, spec, 0), temperature=calibration["temperature"])
    onnx = to_onnx(fitted.network, name)
    card = {
        **_identity(spec, origin, name, onnx),
        "calibration": calibration,
        "data": _data(samples, origin),
        "metrics": {"split": "by domain: every domain judged by models that saw none of it", **metrics},
        "seeds": {"figures": list(range(seeds)), "model": 0},
    }
    progress("done", 1.0)
    return Shelf(fitted, name, card, onnx)


def _identity(spec: TaskSpec, origin: Origin, name: str, onnx: bytes) -> dict[str, Any]:
    """What the model is, what it answers, and who may use it."""
    return {
        "name": name,
        "version": MODEL_VERSION,
        "task": spec.name,
        "trained_on": origin.trained_on,
        "licence": origin.licence,
        "shelf": origin.shelf,
        "nics": list(origin.nics),
        "features": FEATURES_VERSION,
        "classes": list(spec.classes),
        "digest": hashlib.sha256(onnx).hexdigest(),
    }


def _data(samples: Samples, origin: Origin) -> dict[str, Any]:
    """What the model was trained on."""
    return {
        "description": origin.data,
        "digest": origin.digest,
        "domains": len(np.unique(samples.domain)),
        "sessions": len(np.unique(samples.session)),
        "windows": len(samples),
        "window_s": samples.length_s,
    }


def _judge(held: list[Any], spec: TaskSpec, samples: Samples) -> tuple[dict[str, float], dict[str, Any]]:
    """Calibration from all seeds' held-out logits, and metrics by those, mean and deviation over seeds."""
    labels = spec.labels(samples)
    heat = temperature(np.concatenate(held), np.tile(labels, len(held)))
    found = [class_probabilities(logits, heat) for logits in held]
    calibration = {"temperature": round(heat, 4)}
    tables = [spec.metrics(one, labels) for one in found]
    if spec.name == "counting":
        width = max(interval_width(one, labels, samples.domain) for one in found)
        calibration["interval_width"] = round(width, 4)
        calibration["interval_coverage"] = COVERAGE
        for table, one in zip(tables, found, strict=True):
            low, high = interval(one, width)
            table["coverage"] = float(np.mean((low <= labels) & (labels <= high)))
            table["interval_size"] = float(np.mean(high - low + 1))
    metrics = {
        name: {
            "mean": round(float(np.mean([table[name] for table in tables])), 4),
            "sd": round(float(np.std([table[name] for table in tables])), 4),
        }
        for name in tables[0]
    }
    return calibration, metrics


def write(shelf: Shelf, folder: Path, *, curve: bool = True) -> None:
    """Write ``model.onnx``, ``card.toml`` and, with `curve`, the learning curve ``curve.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(shelf.onnx)
    (folder / "card.toml").write_text(_toml(shelf.card), encoding="utf-8")
    if curve:
        _plot(shelf, folder / "curve.png")


def _toml(card: Mapping[str, Any]) -> str:
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


def _plot(shelf: Shelf, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, losses in (
        ("training", shelf.fitted.curve.training),
        ("held-out source", shelf.fitted.curve.validation),
    ):
        axes.plot(range(1, len(losses) + 1), losses, label=name)
    axes.set(xlabel="epoch", ylabel="loss", title=shelf.name)
    axes.legend()
    figure.savefig(path, dpi=120)
