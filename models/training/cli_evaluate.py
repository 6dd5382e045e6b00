"""`roomtone evaluate`: honest accuracy on labelled recordings."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from models.errors import SelectionError
from models.learners import names
from models.task_names import names as task_names
from models.training.console import progress_bar, reported
from models.training.evaluate import Question, Report, evaluate
from models.training.table import write_predictions
from models.training.walks import PREFIX

app = typer.Typer(add_completion=False)


def _known_task(name: str) -> str:
    if name not in task_names():
        raise typer.BadParameter(f"{name!r} is none of {', '.join(task_names())}")
    return name


TaskName = Annotated[str, typer.Argument(help="What is judged.", metavar="TASK", callback=_known_task)]
DataDir = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of a data set: of a known layout, or with dataset.toml. `simulation`: simulated rooms.",
    ),
]
Source = Annotated[str, typer.Option(help="Domains to train on, e.g. RoomA, RoomA:0s-75s,RoomB or d02..d18.")]
Target = Annotated[str | None, typer.Option(help="Domains to judge on.")]
LeaveOut = Annotated[
    Literal["person", "position", "day"] | None,
    typer.Option(help="Judge every person, position (fifths) or day of --source in turn."),
]
LearnerName = Annotated[
    str | None, typer.Option(help=f"By default the data set's own; {', '.join(names())}.")
]
SupportOption = Annotated[
    str | None, typer.Option(help="Labelled target rows: RoomB:20s, or RoomB:5 for 5 of each class.")
]
Bridge = Annotated[str | None, typer.Option(help="Further domains, whose labels are not looked at.")]
Classes = Annotated[str | None, typer.Option(help="Only these classes, e.g. 0-5 or walking,standing.")]
Method = Annotated[
    str, typer.Option(help="How the model is carried over: auto, none, or one of the learner's.")
]
Transductive = Annotated[bool, typer.Option(help="Let unlabelled target windows be used.")]
Decision = Annotated[str | None, typer.Option(help="Average windows over spans, e.g. 8s.")]
Seeds = Annotated[int, typer.Option(help="Trainings that the mean and deviation are taken over.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Predictions = Annotated[Path | None, typer.Option(help="Write every judged unit to this Parquet file.")]


@app.command(
    epilog="Example: roomtone evaluate presence --data ../shared/datasets/crowd_rooms_5300 "
    "--source RoomA --target RoomB --seeds 3 --json"
)
def command(
    task: TaskName,
    *,
    data: DataDir,
    source: Source,
    target: Target = None,
    leave_out: LeaveOut = None,
    learner: LearnerName = None,
    support: SupportOption = None,
    bridge: Bridge = None,
    classes: Classes = None,
    method: Method = "auto",
    transductive: Transductive = False,
    decision: Decision = None,
    seeds: Seeds = 3,
    as_json: AsJson = False,
    predictions: Predictions = None,
) -> None:
    """Accuracy in rooms the model has not seen, with baselines. Needs the extra `train`.

    TASK is presence (balanced accuracy, calibration error), counting (accuracy, within one, mean absolute
    error of the expected count), localization (accuracy, or metres), activity or suspicious_object (accuracy,
    macro F1; of walks also after voting).
    """
    with reported():
        span = _seconds(decision)
        question = Question(
            task,
            data,
            source,
            target,
            support=support,
            classes=_classes(classes),
            method=method,
            transductive=transductive,
            decision_s=span,
            seeds=seeds,
            leave_out=leave_out,
            learner=learner,
            bridge=bridge,
        )
        _answer(question, as_json=as_json, predictions=predictions)


def _answer(question: Question, *, as_json: bool, predictions: Path | None) -> None:
    with progress_bar(f"evaluate {question.task}") as progress:
        report = evaluate(question, progress)
    if predictions is not None:
        write_predictions(report, predictions)
    if as_json:
        typer.echo(json.dumps(report.document))
    else:
        _show(report)


def _show(report: Report) -> None:
    document = report.document
    console = Console(highlight=False)
    asked = document["target"] or f"each {document['leave_out']} in turn"
    console.print(
        f"{document['task']}, {document['source']} -> {asked}, {used_words(document)}", soft_wrap=True
    )
    if document["simulated"]:
        console.print(f"trained on {document['trained_on']}, judged on simulation", style="yellow")
    for words in _texts(document["warnings"]):
        console.print(f"warning: {words}", style="yellow", soft_wrap=True, markup=False)
    asked_as = "asked" if document["evidence"] else "asked; no accuracy"
    rows = {
        f"{document['learner']}, {document['method']} ({asked_as})": document["metrics"],
        **({"the same, first_k": document["first_k"]} if document["first_k"] else {}),
        **_mapping(document["baselines"]),
    }
    named = list(_mapping(document["metrics"]))
    voted = [name for name in named if name.startswith(PREFIX)]
    intervals = _mapping(document["interval95"])
    console.print(_table("method", rows, intervals, [name for name in named if name not in voted]))
    if voted:
        console.print(_table(f"{document['n_walks']} walks, by vote", rows, intervals, voted))
    if document["chance"] is not None:
        console.print(f"a guess among the classes judged is right in {document['chance']:.3f}")


def used_words(document: Mapping[str, Any]) -> str:
    """What of the target was used, in words."""
    used = _mapping(document["target_used"])
    lent = [
        f"{one['rows']} labelled rows of {name} ({one['classes']} classes)"
        for name, one in _mapping(used["labelled"]).items()
    ]
    if lent and used["draws"]:
        lent[-1] += f", drawn {used['draws']} times"
    if used["unlabelled_query_rows"]:
        lent.append(f"the {used['unlabelled_query_rows']} judged rows without their labels")
    told = f"of the target: {'; '.join(lent)}" if lent else "no target data"
    if used["left_out_rows"]:
        told += f"; {used['left_out_rows']} rows near the support are not judged"
    return told + ("; the source is of another site" if used["source_of_another_site"] else "")


def _table(
    title: str, rows: Mapping[str, Any], intervals: Mapping[str, Any], metrics: Sequence[str]
) -> Table:
    """These metrics of every method, with their intervals below."""
    table = Table(Column(title, no_wrap=True), *metrics)
    for name, figures in rows.items():
        told = _mapping(figures)
        table.add_row(name, *(_cell(told.get(metric)) for metric in metrics))
    spans = [intervals[metric] for metric in metrics]
    table.add_row("95 % interval", *(f"{low:.3f} .. {high:.3f}" for low, high in spans))
    return table


def _cell(figure: Mapping[str, float] | None) -> str:
    """Mean and deviation; a dash where a method says nothing of the kind (a radius, say)."""
    return "-" if figure is None else f"{figure['mean']:.3f} +- {figure['sd']:.3f}"


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a part of our own document
    return dict(value)


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - a part of our own document
    return list(value)


def _classes(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if match is None:
        return tuple(name.strip() for name in text.split(","))
    if int(match[1]) >= int(match[2]):
        raise SelectionError(f"--classes {text!r} is no range; write e.g. 0-5")
    return tuple(str(number) for number in range(int(match[1]), int(match[2]) + 1))


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s?", text)
    if match is None:
        raise SelectionError(f"--decision {text!r} is no time; write e.g. 8s")
    return float(match[1])
