"""What `roomtone record` tells while it runs, and at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from drivers.watch import counted
from service.cli.errors import CommandError
from service.recording.dataset import NAME
from service.recording.run import Run


def result(run: Run, failure: CommandError | None) -> dict[str, Any]:
    """What `roomtone record --json` prints."""
    take, account, loss = run.take, run.stream.account, run.loss
    facts = take.facts
    return {
        "file": str(take.path if failure is None else take.part),
        "complete": failure is None,
        "error": None if failure is None else str(failure),
        "dataset": str(take.path.parent / NAME),
        "nic": facts.nic,
        "labels": [f"{one.task}={one.label}" for one in facts.labels],
        "domain": facts.domain,
        "session": facts.session,
        "bytes": take.size,
        "frames": run.frames,
        "resumed_behind": take.frames_before,
        "seconds": round(take.seconds, 3),
        "rejected": dict(account.rejected),
        "skipped": dict(account.skipped),
        "lost_by_transport": dict(run.live.lost),
        "missing": loss.missing,
        "missing_by": loss.method,
        "unauthenticated": run.live.unauthenticated,
    }


def line(told: dict[str, Any]) -> str:
    """The same in a line for people."""
    missing = "unknown" if told["missing"] is None else f"{told['missing']} (by {told['missing_by']})"
    return (
        f"{told['file']}: {told['frames']:,} frames in {told['seconds']:.1f} s; "
        f"rejected: {counted(told['rejected'])}; "
        f"lost by the transport: {counted(told['lost_by_transport'])}; missing: {missing}; "
        f"listed in {told['dataset']}"
    )


@contextmanager
def progress(run: Run, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on stderr: time, rate, and what did not come."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        task = bar.add_task("recording", total=run.take.wanted_s, counts="")
        yield lambda: bar.update(
            task,
            completed=run.take.seconds,
            description=run.live.trouble or "recording",
            counts=_counts(run),
        )


def _counts(run: Run) -> str:
    lost, missing = sum(run.live.lost.values()), run.loss.missing
    return (
        f"{run.frames} frames, {run.rate_hz:.0f}/s, {lost} lost, "
        f"{'?' if missing is None else missing} missing, {sum(run.stream.account.rejected.values())} rejected"
    )
