"""docs/accuracy.md: the generated part between two marks, from the results that are there."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from models.figures.rows import LICENCES, ROWS, Row
from models.figures.studies import STUDIES
from models.figures.studies import page as studies

BEGIN = "<!-- figures: made by `make figures`, do not edit -->"
END = "<!-- end of figures -->"
_SHOWN = (
    "majority",
    "mean_place",
    "lda",
    "knn",
    "kernel_ridge",
    "random_network",
    "frozen_random",
    "none",
    "recording_fingerprint",
)


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
    """All sections, each a table of what was reached, aim, reference and baselines; studies come last."""
    lines: list[str] = []
    for section, rows in groupby(ROWS, key=lambda row: row.section):
        group = list(rows)
        names = dict.fromkeys(row.data for row in group)
        lines += [f"## {section}", "", *(f"Data: *{name}*; {LICENCES[name]}." for name in names), ""]
        lines += [
            "| split | metric | reached | 95 % interval | aim | | reference | baselines of the same run |"
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for row in group:
            lines += _lines(row, results / f"{row.name}.json")
        lines += ["", *_warnings(group, results)]
        lines += [*(f"    {row.command()}" for row in group), ""]
    return "\n".join([*lines, *studies.lines(results), *_longest(results)])


def _lines(row: Row, path: Path) -> list[str]:
    if not path.is_file():
        return [f"| {row.title} | - | not answered yet | | {_aims(row)} | | | |"]
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found, evidence = [], bool(told.get("evidence", True))
    for number, (metric, aim) in enumerate(row.aims.items()):
        reached = told["metrics"][metric]
        low, high = told["interval95"][metric]
        verdict = "reached" if aim.reached(round(reached["mean"], 3)) else "**missed**"
        verdict = "" if str(aim) == "-" else verdict
        cells = [
            row.title if number == 0 else "",
            metric,
            _reached(reached, evidence=evidence),
            f"{low:.2f} .. {high:.2f}",
            str(aim),
            verdict,
            row.reference.get(metric, "-"),
            _baselines(told["baselines"], metric),
        ]
        found.append(f"| {' | '.join(cells)} |")
    return found


def _reached(figure: Mapping[str, float], *, evidence: bool) -> str:
    told = f"{figure['mean']:.3f}"
    return f"**{told}** ± {figure['sd']:.3f}" if evidence else f"no accuracy ({told} ± {figure['sd']:.3f})"


def _warnings(rows: Sequence[Row], results: Path) -> list[str]:
    """What the data set says against these figures, each once."""
    paths = [results / f"{row.name}.json" for row in rows]
    told = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    words = dict.fromkeys(word for one in told for word in one.get("warnings", []))
    return [line for word in words for line in (f"*Warning: {word}.*", "")]


def _longest(results: Path) -> list[str]:
    """The longest step behind any figure of the page."""
    names = [row.name for row in ROWS] + [study.name for study in STUDIES]
    told = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))
    }
    timed = [(told[name]["longest"], name) for name in names if "longest" in told.get(name, {})]
    if not timed:
        return []
    longest, name = max(timed, key=lambda one: one[0]["cpu_s"])
    said = (
        f"No single fit took longer than {longest['cpu_s']:.0f} s on one core: that is the longest step "
        f"({longest['step']}, for `{name}`), with all that is chosen on the way."
    )
    return ["", said, ""]


def _baselines(told: Mapping[str, Any], metric: str) -> str:
    shown = [f"{name} {told[name][metric]['mean']:.3f}" for name in _SHOWN if metric in told.get(name, {})]
    return ", ".join(shown)


def _aims(row: Row) -> str:
    return ", ".join(f"{metric} {aim}" for metric, aim in row.aims.items())
