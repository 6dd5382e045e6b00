"""``make figures``: answer what has changed, write docs/accuracy.md. May run for hours; can be stopped."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from models.errors import ModelsError
from models.figures import compare
from models.figures.code import Code, code_in
from models.figures.page import filled
from models.figures.rows import ROWS, Row
from models.figures.run import answer, holds, key_of
from models.figures.studies import STUDIES, Study
from models.figures.studies import run as studies
from models.training.console import progress_bar

ROOT = Path(__file__).parents[2]

app = typer.Typer(add_completion=False)


@app.command()
def command(
    *,
    datasets: Annotated[Path, typer.Option(help="Folder of the data sets.")] = Path("../shared/datasets"),
    only: Annotated[str, typer.Option(help="Only rows and studies whose name starts like this.")] = "",
    seeds: Annotated[int, typer.Option(help="Trainings per figure.")] = 3,
    root: Annotated[Path, typer.Option(help="The checkout.")] = ROOT,
    stale: Annotated[bool, typer.Option("--stale", help="Only name what would be answered again.")] = False,
) -> None:
    """Answer every question whose code or data changed since, and write docs/accuracy.md."""
    results, page = root / "docs" / "results", root / "docs" / "accuracy.md"
    results.mkdir(exist_ok=True)
    code = code_in(root)
    if stale:
        for name in _stale(datasets, results, code, seeds, only):
            typer.echo(name)
        return
    asked: tuple[Row | Study, ...] = (*ROWS, *STUDIES)
    for one in asked:
        if one.name.startswith(only):
            with progress_bar(one.name) as progress:
                if isinstance(one, Study):
                    done = studies.answer(one, results, code=code, seeds=seeds, progress=progress)
                else:
                    done = answer(one, datasets, results, code=code, seeds=seeds, progress=progress)
            typer.echo(f"{one.name}: {done}")
            page.write_text(filled(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    _compare(root, datasets, only, code)


def _stale(datasets: Path, results: Path, code: Code, seeds: int, only: str) -> Iterator[str]:
    """Answers that no longer hold: a question, or a method on one; and what cannot be told."""
    for study in STUDIES:
        kept = holds(results / f"{study.name}.json", studies.key_of(study, code, seeds))
        if study.name.startswith(only) and not kept:
            yield study.name
    for row in ROWS:
        try:
            if row.name.startswith(only):
                kept = holds(results / f"{row.name}.json", key_of(row, datasets, code, seeds))
                yield from () if kept else (row.name,)
            table = f"{compare.PREFIX}{row.name}"
            if row in compare.with_support() and table.startswith(only):
                missing = compare.missing(row, datasets, results, code=code)
                yield from (f"{table} {method}" for method in missing)
        except ModelsError as error:
            yield f"{row.name}: {error}"


def _compare(root: Path, datasets: Path, only: str, code: Code) -> None:
    """Every method on every row with support, for docs/adaptation.md."""
    results, page = root / "docs" / "results", root / "docs" / "adaptation.md"
    for row in compare.with_support():
        name = f"{compare.PREFIX}{row.name}"
        if name.startswith(only):
            with progress_bar(name) as progress:
                done = compare.compared(row, datasets, results, code=code, progress=progress)
            typer.echo(f"{name}: {done}")
            page.write_text(compare.filled(page.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(app())
