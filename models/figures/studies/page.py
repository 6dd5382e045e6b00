"""The section of docs/accuracy.md on studies: what was reached, with baselines beside it, and no aim."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.figures.studies import SECTION, STUDIES
from models.figures.studies.base import Study

_SAID = (
    "*Learned and judged on simulation alone*, in rooms that training did not see; nobody has measured these "
    "on real recordings, and no task of the API answers them. No aim was set. `bin_f1` is F1 of bins of 40 "
    "ms; `segment_iou` is the mean overlap of true and found segments, in which a missed one and a false one "
    "count 0. Deviations are over three draws of rooms and weights."
)


def lines(results: Path, studies: Sequence[Study] = STUDIES) -> list[str]:
    """Heading, table and commands."""
    rows = [row for study in studies for row in _rows(study, results / f"{study.name}.json")]
    return [
        f"## {SECTION}",
        "",
        _SAID,
        "",
        "| what | learner | metric | reached | baselines of the same run |",
        "|---|---|---|---|---|",
        *rows,
        "",
        *(f"    {study.command()}" for study in studies),
        "",
    ]


def _rows(study: Study, path: Path) -> list[str]:
    if not path.is_file():
        return [f"| {study.title} | `{study.learner}` | - | not answered yet | |"]
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = []
    for number, (metric, figure) in enumerate(told["metrics"].items()):
        first = (study.title, f"`{study.learner}`") if number == 0 else ("", "")
        simple = ", ".join(f"{name} {its[metric]['mean']:.3f}" for name, its in told["baselines"].items())
        reached = f"**{figure['mean']:.3f}** ± {figure['sd']:.3f}"
        found.append(f"| {' | '.join((*first, metric, reached, simple))} |")
    return found
