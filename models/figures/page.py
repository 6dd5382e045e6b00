"""docs/accuracy.md: the generated part between two marks, from the results that are there."""

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from models.figures.rows import LICENCES, ROWS, Row

BEGIN = "<!-- figures: made by `make figures`, do not edit -->"
END = "<!-- end of figures -->"
_SHOWN = ("majority", "mean_place", "lda", "knn", "kernel_ridge", "random_network", "frozen_random", "none")


def filled(text: str, results: Path) -> str:
    """The page with its generated part made anew.

    Raises:
        ValueError: the marks are not there.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the page lacks the marks {BEGIN!r} and {END!r}")
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    return f"{head}{BEGIN}\n\n{tables(results)}\n{END}{tail}"


def tables(results: Path) -> str:
    """All sections, each a table of what was reached, the aim, the reference and the baselines."""
    lines: list[str] = []
    for section, rows in groupby(ROWS, key=lambda row: row.section):
        group = list(rows)
        lines += [f"## {section}", "", f"Data: *{group[0].data}*; {LICENCES[group[0].data]}.", ""]
        lines += [
            "| split | metric | reached | 95 % interval | aim | | reference | baselines of the same run |"
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for row in group:
            lines += _lines(row, results / f"{row.name}.json")
        lines += ["", *(f"    {row.command()}" for row in group), ""]
    return "\n".join(lines)


def _lines(row: Row, path: Path) -> list[str]:
    if not path.is_file():
        return [f"| {row.title} | - | not answered yet | | {_aims(row)} | | | |"]
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = []
    for number, (metric, aim) in enumerate(row.aims.items()):
        reached = told["metrics"][metric]
        low, high = told["interval95"][metric]
        verdict = "reached" if aim.reached(round(reached["mean"], 3)) else "**missed**"
        verdict = "" if str(aim) == "-" else verdict
        cells = [
            row.title if number == 0 else "",
            metric,
            f"**{reached['mean']:.3f}** ± {reached['sd']:.3f}",
            f"{low:.2f} .. {high:.2f}",
            str(aim),
            verdict,
            row.reference.get(metric, "-"),
            _baselines(told["baselines"], metric),
        ]
        found.append(f"| {' | '.join(cells)} |")
    return found


def _baselines(told: Mapping[str, Any], metric: str) -> str:
    shown = [f"{name} {told[name][metric]['mean']:.3f}" for name in _SHOWN if metric in told.get(name, {})]
    return ", ".join(shown)


def _aims(row: Row) -> str:
    return ", ".join(f"{metric} {aim}" for metric, aim in row.aims.items())
