"""`roomtone record`: a card's records to disk as they come, with labels."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from drivers.errors import SourceError
from drivers.live import LiveSource, open_source
from drivers.live.registry import FORMS
from drivers.registry import Nic, load
from drivers.stopping import until_told
from service.cli.errors import CommandError
from service.cli.record_told import line, progress, result
from service.recording.dataset import DatasetError, read_dataset
from service.recording.labels import LabelError, check_labels, parse_label, seconds
from service.recording.notes import Facts, RecordingError
from service.recording.run import Run
from service.recording.take import Take

app = typer.Typer(add_completion=False)
_SUFFIX = {"intel5300": ".dat", "atheros": ".dat", "feitcsi": ".dat", "nexmon": ".pcap", "esp32": ".csv"}


@app.command(
    epilog="Example: roomtone record --nic intel5300 --source netlink --label presence=vacant --for 60s "
    "--domain lab --session monday recordings"
)
def record(
    folder: Annotated[Path, typer.Argument(help="Folder of the recordings and their dataset.toml.")],
    *,
    nic: Annotated[str, typer.Option(help="NIC whose bytes these are.")],
    source: Annotated[str, typer.Option(help=FORMS.replace("[", r"\["))],
    label: Annotated[
        list[str] | None,
        typer.Option(help="TASK=LABEL for all of it, or TASK=LABEL@0s-30s for a part; repeatable."),
    ] = None,
    length: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long, e.g. 60s; else until stopped.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the recording; by default its label and time.")] = None,
    domain: Annotated[str | None, typer.Option(help="Room or site; by default the folder's name.")] = None,
    session: Annotated[str | None, typer.Option(help="Samples made together; by default the time.")] = None,
    person: Annotated[str, typer.Option(help="Who was there, by a name that gives nobody away.")] = "",
    licence: Annotated[str, typer.Option(help="Under which the data may be used.")] = "not stated",
    notes: Annotated[str, typer.Option(help="What else should be known.")] = "",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Sender a UDP source takes; repeatable.")
    ] = None,
    enrolment: Annotated[
        Path | None, typer.Option(help="For tls: the folder that `roomtone links enroll` made.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted recording.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Record a card to disk in its own file format, and list the recording with its labels in dataset.toml.

    What is recorded is readable at any time (NAME.part), also when this is killed or the disk is full;
    --resume goes on behind it, with the labels it was begun with. docs/recording.md describes dataset.toml.
    """
    try:
        labels = [parse_label(text) for text in label or []]
        wanted_s = None if length is None else seconds(length)
        check_labels(labels, wanted_s)
    except LabelError as error:
        raise typer.BadParameter(str(error)) from error
    stopped, module, now = until_told(), load(nic), datetime.now(UTC)
    facts = Facts(
        nic=module.NAME,
        labels=labels,
        domain=domain or folder.resolve().name,
        session=session or f"{now:%Y-%m-%dT%H:%MZ}",
        person=person,
        licence=licence,
        notes=notes,
    )
    with open_source(source, module, allow=allow, enrolment=enrolment) as live:
        take = _take(folder, name, facts, live, wanted_s, now=now, resume=resume)
        run = Run(take, live)
        failure = _record(run, stopped, quiet=as_json)
    told = result(run, failure)
    if as_json:
        typer.echo(json.dumps(told))
    elif failure is None:
        typer.echo(line(told))
    if failure is not None:
        raise failure


def _take(
    folder: Path,
    name: str | None,
    facts: Facts,
    live: LiveSource,
    wanted_s: float | None,
    *,
    now: datetime,
    resume: bool,
) -> Take:
    """The recording that is begun or gone on with."""
    nic = live.nic
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"cannot make folder {folder}: {error.strerror or error}") from error
    read_dataset(folder)  # one that cannot be extended is found out before an hour is recorded
    if resume and nic.opening() and not live.opening:
        raise CommandError(f"{live.description} begins with a file header of its own: it cannot go on a file")
    if resume:
        return Take.resume(_interrupted(folder, name, nic), nic, wanted_s)
    what = "-".join(f"{one.task}-{one.label}" for one in facts.labels) or "recording"
    name = name or f"{re.sub(r'[^A-Za-z0-9]+', '-', what)[:60].strip('-')}-{now:%Y%m%dT%H%M%SZ}"
    return Take.begin(folder / _file_name(name, nic), facts, wanted_s)


def _file_name(name: str, nic: Nic) -> str:
    if Path(name).name != name or name in {".", ".."}:
        raise CommandError(f"--name {name!r} is a path; give the folder first, and a plain name")
    suffix = _SUFFIX.get(nic.NAME, ".bin")
    return name if name.endswith(suffix) else name + suffix


def _interrupted(folder: Path, name: str | None, nic: Nic) -> Path:
    if name is not None:
        return folder / _file_name(name, nic)
    parts = sorted(folder.glob("*.part"))
    if len(parts) != 1:
        found = ", ".join(part.name.removesuffix(".part") for part in parts) or "none"
        raise CommandError(
            f"which recording in {folder} shall go on? Interrupted: {found}; choose with --name"
        )
    return parts[0].with_suffix("")


def _record(run: Run, stopped: Callable[[], bool], *, quiet: bool) -> CommandError | None:
    """Record until it is long enough, stopped or broken; why it is not complete, if it is not."""
    try:
        with progress(run, quiet=quiet) as told:
            for _ in run.steps(stopped):
                told()
        shortfall = run.shortfall
        if shortfall is None:
            run.take.finish(run.frames)
            return None
    except SourceError as error:
        shortfall = str(error)
    except RecordingError as error:
        run.take.stop()
        return CommandError(str(error))
    except DatasetError as error:
        run.take.stop()
        return CommandError(f"{error}; the recording is kept in {run.take.part}: go on with --resume")
    run.take.stop()
    kept = f"; {run.frames} frames are kept in {run.take.part}: go on with --resume" if run.frames else ""
    return CommandError(shortfall + kept)
