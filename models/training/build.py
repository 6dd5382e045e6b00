"""Make a model fit to ship: fit, calibrate on held-out domains, export, say in a card how well it does."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners import Learner
from models.learners.base import Curve, Exportable, Found
from models.tasks.decode import probabilities
from models.tasks.ordinal import interval, median
from models.training.calibrate import COVERAGE, interval_width
from models.training.core import core_of
from models.training.held_out import held_out_logits, radius, temperature
from models.training.judge import bootstrap
from models.training.metrics import confusion
from models.training.provenance import commit
from models.training.task import TaskSpec
from models.zoo import Output, ShelvedModel, parse_card
from models.zoo.card import to_toml

MODEL_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model is trained on, as its card says it; `extra` are fields of the card a data set adds."""

    trained_on: str
    licence: str
    shelf: str
    nics: tuple[str, ...]
    data: str
    digest: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A fitted model with its card, the results behind the card's figures, and how it was fitted."""

    model: Exportable
    card: Mapping[str, Any]
    results: Mapping[str, Any]
    onnx: bytes
    curve: Curve
    core: bytes = b""


def build(
    learner: Learner,
    samples: Samples,
    spec: TaskSpec,
    origin: Origin,
    *,
    name: str,
    seeds: int = 3,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> Built:
    """A model of all samples, judged and calibrated on domains that others like it did not see.

    Raises:
        SelectionError: a class is missing, or the learner's models cannot be exported.
    """
    _check(learner, samples, spec)
    held = []
    for seed in range(seeds):
        progress(f"held-out domains, seed {seed + 1} of {seeds}", seed / (seeds + 1))
        held.append(held_out_logits(learner, samples, seed))
    progress("final model", seeds / (seeds + 1))
    model: Exportable = learner.fit(samples, 0)
    calibration, metrics, results = _judge(held, spec, samples, model.output)
    if "cells" in origin.extra:
        places = _places(held, samples, origin.extra["cells"], calibration["temperature"])
        calibration["sigma_m"], metrics["mean_m"] = places.pop("sigma_m"), places
    onnx = model.to_onnx(name)
    card = {
        **_identity(spec, origin, name, onnx),
        "learner": learner.NAME,
        **learner.CARD,
        "features": model.features,
        "output": model.output,
        "calibration": calibration,
        "data": _data(samples, origin),
        "metrics": {"split": _split(samples), **metrics},
        "seeds": {"figures": list(range(seeds)), "model": 0},
        **origin.extra,
    }
    core = _core(card, onnx, samples) if spec.classes else b""
    if core:
        card["core"] = hashlib.sha256(core).hexdigest()
    progress("done", 1.0)
    return Built(model, card, {**card, **results}, onnx, model.curve, core)


def _core(card: Mapping[str, Any], onnx: bytes, samples: Samples) -> bytes:
    """What the model keeps of its training windows, seen through its own file; empty if it keeps nothing."""
    found = core_of(ShelvedModel(parse_card(to_toml(card), str(card["name"])), onnx), samples)
    return b"" if found is None else found.to_bytes()


def _check(learner: Learner, samples: Samples, spec: TaskSpec) -> None:
    if spec.name not in learner.TASKS:
        raise SelectionError(f"learner {learner.NAME} learns {', '.join(learner.TASKS)}, not {spec.name}")
    domains = list(dict.fromkeys(samples.domain.tolist()))
    if spec.classes and len(np.unique(samples.label)) < len(spec.classes):
        missing = [one for number, one in enumerate(spec.classes) if number not in samples.label]
        raise SelectionError(
            f"training {spec.name} needs every class; {domains} hold no {', '.join(missing)}"
        )
    if len(domains) < 2 and not len(samples):
        raise SelectionError(f"training {spec.name} needs rows; there are none")


def _split(samples: Samples) -> str:
    if len(np.unique(samples.domain)) < 2:
        return "one domain: the last third of every recording, judged by models of the first two thirds"
    return "by domain: every domain judged by models that saw none of it"


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


def _judge(
    held: list[tuple[Found, npt.NDArray[np.intp]]], spec: TaskSpec, samples: Samples, output: Output
) -> tuple[dict[str, float], dict[str, Any], dict[str, Any]]:
    """Calibration from all seeds' held-out logits, metrics by those over seeds, and the results file."""
    rows = [samples.take(row) for _, row in held]
    if output == "metres":
        sigma = radius(np.concatenate([one for one, _ in held]), np.concatenate([one.label for one in rows]))
        found, calibration = [one for one, _ in held], {"sigma_m": round(sigma, 4)}
    else:
        heat = temperature(
            np.concatenate([one for one, _ in held]), np.concatenate([one.label for one in rows]), output
        )
        found = [probabilities(one, output, heat) for one, _ in held]
        calibration = {"temperature": round(heat, 4)}
    tables = [spec.metrics(one, row.label) for one, row in zip(found, rows, strict=True)]
    if spec.name == "counting":
        _with_interval(calibration, tables, found, rows)
    summary = {
        name: {
            "mean": round(float(np.mean([table[name] for table in tables])), 4),
            "sd": round(float(np.std([table[name] for table in tables])), 4),
        }
        for name in tables[0]
    }
    return calibration, summary, _results(spec, found[-1], rows[-1])


def _places(
    held: list[tuple[Found, npt.NDArray[np.intp]]],
    samples: Samples,
    cells: Sequence[tuple[str, float, float]],
    heat: float,
) -> dict[str, float]:
    """Mean distance over seeds of the mean place by probability, and the radius that holds two thirds."""
    known = {name: (x, y) for name, x, y in cells}
    columns = [number for number, name in enumerate(samples.classes) if name in known]
    places = np.array([known[samples.classes[number]] for number in columns])
    errors, found, truths = [], [], []
    for logits, rows in held:
        labels = samples.label[rows]
        there = np.isin(labels, columns)
        shares = probabilities(logits[there], "softmax", heat)[:, columns]
        mean = shares @ places / shares.sum(axis=1, keepdims=True)
        truth = places[np.searchsorted(columns, labels[there])]
        errors.append(float(np.linalg.norm(mean - truth, axis=1).mean()))
        found.append(mean)
        truths.append(truth)
    return {
        "mean": round(float(np.mean(errors)), 4),
        "sd": round(float(np.std(errors)), 4),
        "sigma_m": round(radius(np.concatenate(found), np.concatenate(truths)), 2),
    }


def _with_interval(
    calibration: dict[str, float], tables: list[dict[str, float]], found: list[Found], rows: list[Samples]
) -> None:
    """The width of the count's interval that holds on every held-out domain, and how it does."""
    width = max(interval_width(one, row.label, row.domain) for one, row in zip(found, rows, strict=True))
    calibration["interval_width"] = round(width, 4)
    calibration["interval_coverage"] = COVERAGE
    for table, one, row in zip(tables, found, rows, strict=True):
        low, high = interval(one, width)
        table["coverage"] = float(np.mean((low <= row.label) & (row.label <= high)))
        table["interval_size"] = float(np.mean(high - low + 1))


def _results(spec: TaskSpec, found: Found, rows: Samples) -> dict[str, Any]:
    """What the results file tells beside the card: commit, confusion, bootstrap of the last seed."""
    told: dict[str, Any] = {
        "commit": commit(),
        "n_sessions": len(np.unique(rows.session)),
        "interval95": bootstrap(spec.metrics, found, rows.label, rows.session, rows.start_s),
    }
    if spec.classes:
        best = median(found) if spec.name == "counting" else found.argmax(axis=1)
        told["confusion"] = confusion(np.asarray(best, np.int64), rows.label, len(spec.classes))
    return told
