"""`roomtone adapt`: a room's own head from labelled recordings, by the gate of a running service."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from models.adapt import AUTO, names
from models.adapt.contest import Tried, beside, best_of, blocks_of, judge, methods
from models.adapt.evidence import BLOCK_S, Folds, GateRefusal, folds_of
from models.adapt.gate import check_better
from models.adapt.head import RoomHead
from models.adapt.head_file import pack_head
from models.adapt.lesson import Lesson
from models.errors import SelectionError
from models.runtime import Backbone
from models.task_names import names as task_names
from models.training.console import progress_bar, reported
from models.training.lesson import Progress, lesson_of
from models.zoo import SHELVES, CardError, ShelvedModel, read_model, shelved

app = typer.Typer(add_completion=False)


def _known_task(name: str) -> str:
    if name not in task_names():
        raise typer.BadParameter(f"{name!r} is none of {', '.join(task_names())}")
    return name


@app.command(
    epilog="Example: roomtone adapt counting --data ../shared/datasets/crowd_rooms_5300 "
    "--support RoomB:20s -o adapted"
)
def command(
    task: Annotated[str, typer.Argument(help="What is adapted.", metavar="TASK", callback=_known_task)],
    *,
    data: Annotated[Path, typer.Option(help="Folder of labelled recordings; `simulation`: simulated rooms.")],
    support: Annotated[
        str, typer.Option(help="Labelled recordings: RoomB, RoomB:0s-60s, or RoomB:20s of each class.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for head.npz and adaptation.json.")],
    model: Annotated[
        str | None, typer.Option(help="Name or folder of the model it stands on; by default the open one.")
    ] = None,
    method: Annotated[str, typer.Option(help=f"auto, or one of {', '.join(names())}.")] = AUTO,
    budget: Annotated[float, typer.Option(help="Seconds after which no further method is begun.")] = 60.0,
    force: Annotated[
        bool, typer.Option("--force", help="Write the head though the gate refuses it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """A room's own head from labelled recordings of it, judged as a running service would.

    Recordings are held out in turn where every class has two or more, else halves of them. A head that tells
    the rest no better than the model's own, or than guessing, is refused (exit code 1). Needs the extra
    `train`.
    """
    with reported():
        backbone = Backbone(_model(model, task))
        with progress_bar(f"adapt {task}") as progress:
            lesson = lesson_of(backbone, data, task, support, progress)
            document, head = _adapted(lesson, method, budget, progress, force=force)
        document = {"task": task, "data": data.resolve().name, "support": support, **document}
        _write(output, document, head)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _show(document, output)


def _model(name: str | None, task: str) -> ShelvedModel:
    """The model of that name or in that folder.

    Raises:
        SelectionError: there is none for this task.
    """
    try:
        if name is not None and Path(name).is_dir():
            return read_model(Path(name))
        there = [one for one in shelved(SHELVES) if one.card.task == task]
    except (CardError, OSError) as error:
        raise SelectionError(f"cannot read model {name}: {error}") from error
    for one in there:
        if name in {None, one.card.name}:
            return one
    known = ", ".join(one.card.name for one in there)
    raise SelectionError(
        f"no model {name or ''} for {task}; on the shelves: {known or 'none'}, or name a folder"
    )


def _adapted(
    lesson: Lesson,
    method: str,
    budget_s: float,
    progress: Progress,
    *,
    force: bool,
) -> tuple[dict[str, Any], RoomHead]:
    """What is to be told, and the head.

    Raises:
        SelectionError: the gate refuses it, or no method can learn from these rows.
    """
    try:
        folds = folds_of(lesson.rows, lesson.classes, lesson.length_s, forced=force)
        asked = methods(method, shipped=lesson.shipped is not None, ordered=lesson.ordered)
        tried, left_out = judge(
            asked, lesson, folds, budget_s=budget_s, say=lambda share, what: progress(what, share)
        )
        if not tried:
            raise SelectionError("; ".join(f"{name}: {why}" for name, why in left_out.items()))
        best = best_of(tried)
        native = lesson.native()
        before = None if native is None else beside(native, lesson, best.score)
        if not force:
            check_better(best.score, before, blocks_of(lesson, BLOCK_S))
    except GateRefusal as refusal:
        raise SelectionError(f"refused, {refusal.reason}: {refusal.detail}") from refusal
    found = {
        "method": best.name,
        **_judged_on(folds),
        "metrics": {"before": before.document() if before else None, "after": best.score.document()},
        "candidates": _candidates(tried, left_out),
    }
    return _facts(lesson) | found, best.head(lesson.rows)


def _facts(lesson: Lesson) -> dict[str, Any]:
    card = lesson.backbone.card
    return {
        "model": {"name": card.name, "version": card.version, "digest": card.digest},
        "classes": list(lesson.classes),
        "windows": len(lesson.rows),
        "simulated": lesson.simulated,
    }


def _judged_on(folds: Folds) -> dict[str, Any]:
    where = "halves of the same recordings" if folds.provisional else "recordings left out"
    return {"provisional": folds.provisional, "judged_on": where}


def _candidates(tried: Sequence[Tried], left_out: Mapping[str, str]) -> dict[str, Any]:
    told = {one.name: one.score.document() | {"seconds": round(one.seconds, 2)} for one in tried}
    return {**told, **{name: {"left_out": why} for name, why in left_out.items()}}


def _write(folder: Path, document: dict[str, Any], head: RoomHead) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "head.npz").write_bytes(pack_head(head))
        text = json.dumps(document, indent=1) + "\n"
        (folder / "adaptation.json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise SelectionError(f"cannot write to {folder}: {error}") from error


def _show(document: dict[str, Any], folder: Path) -> None:
    shown = Table("", "log loss", "balanced accuracy", title=f"judged on {document['judged_on']}")
    lines = {"model's own head": document["metrics"]["before"], **document["candidates"]}
    for name, told in lines.items():
        if told is not None:
            cells = [f"{told[key]:.3f}" for key in ("log_loss", "balanced_accuracy") if key in told]
            shown.add_row(name, *(cells or [told.get("left_out", ""), ""]))
    Console().print(shown)
    word = "provisional" if document["provisional"] else "held out"
    typer.echo(f"{folder}: head.npz by {document['method']} ({word}), {document['windows']} windows")
