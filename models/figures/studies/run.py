"""Answer studies whose code has changed; their data are code, since all of it is simulated."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.errors import ModelsError
from models.figures.code import BY_LABELS, Code, reached
from models.figures.run import holds, replace_suffix
from models.figures.studies.base import Answer, Metrics, Study

Progress = Callable[[str, float], None]


def key_of(study: Study, code: Code, seeds: int) -> str:
    """What the study's figures hang on, as one number."""
    digest = code({__name__, *reached([study.figures.__module__], BY_LABELS)})
    return hashlib.sha256(f"{study.name}\n{digest}\n{seeds}\n".encode()).hexdigest()


def answer(study: Study, results: Path, *, code: Code, seeds: int, progress: Progress) -> str:
    """Answer one study unless its answer is there already; what was done, in a word or two."""
    path, key = results / f"{study.name}.json", key_of(study, code, seeds)
    if holds(path, key):
        return "as it was"
    torch.set_num_threads(1)
    began, answers = time.monotonic(), list[Answer]()
    try:
        for seed in range(seeds):
            progress(f"{study.name}: seed {seed + 1} of {seeds}", seed / seeds)
            answers.append(study.figures(seed))
    except ModelsError as error:
        return f"not answered: {error}"
    seconds = round(time.monotonic() - began, 1)
    told = {**document(study, answers), "key": key, "seconds": seconds}
    staged = replace_suffix(path)
    staged.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    staged.replace(path)
    return f"answered in {seconds:g} s"


def document(study: Study, answers: Sequence[Answer]) -> dict[str, Any]:
    """Mean and deviation over seeds, as `roomtone evaluate` tells them, and what each seed gave."""
    names = answers[0].baselines
    return {
        "study": study.name,
        "learner": study.learner,
        "simulated": True,
        "trained_on": "simulation",
        "metrics": _summary([one.metrics for one in answers]),
        "baselines": {name: _summary([one.baselines[name] for one in answers]) for name in names},
        "longest": dict(max((one.longest for one in answers), key=lambda one: one["cpu_s"])),
        "seeds": [
            {"seed": seed, **one.facts, "metrics": _rounded(one.metrics)} for seed, one in enumerate(answers)
        ],
    }


def _summary(tables: Sequence[Metrics]) -> dict[str, Mapping[str, float]]:
    found = {name: [table[name] for table in tables] for name in tables[0]}
    return {
        name: _rounded({"mean": float(np.mean(values)), "sd": float(np.std(values))})
        for name, values in found.items()
    }


def _rounded(table: Metrics) -> dict[str, float]:
    return {name: round(value, 4) for name, value in table.items()}
