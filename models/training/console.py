"""What the training commands share on the terminal: progress bars on stderr, errors in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from threadpoolctl import threadpool_limits

from models.errors import ModelsError

_stderr = Console(stderr=True, highlight=False)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A bar on stderr; call it with what is being done and the share done (0..1)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_stderr, transient=True) as bar:
        job = bar.add_task(title, total=1.0)
        yield lambda what, share: bar.update(job, description=f"{title}: {what}", completed=share)


@contextmanager
def reported() -> Iterator[None]:
    """One thread, so that sums have one order; errors made on purpose become one line and exit code 1."""
    try:
        with threadpool_limits(1):
            yield
    except ModelsError as error:
        _stderr.print(f"roomtone: {error}", style="red", soft_wrap=True, markup=False)
        raise typer.Exit(1) from error
