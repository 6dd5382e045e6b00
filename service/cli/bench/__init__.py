"""`roomtone bench`: measurements anybody can repeat; ratios are taken within one run."""

from typing import Any, ClassVar

import typer

from service.cli.main import LazyGroup
from service.cli.threads import one_thread


class BenchGroup(LazyGroup):
    """Each measurement is imported when it is called."""

    table: ClassVar[dict[str, str]] = {
        "api": "service.cli.bench.api",
        "adapt": "service.cli.bench.adapt",
        "decode": "service.cli.bench.decode",
        "live": "service.cli.bench.live",
        "models": "service.cli.bench.models",
        "pipeline": "service.cli.bench.pipeline",
    }

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ANN401 - a private class of typer
        """As of `LazyGroup`; the measurement gets one thread, as the worker has."""
        one_thread()
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=BenchGroup,
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone bench pipeline --rooms 50 --rate 100 --json",
)


@app.callback()
def bench() -> None:
    """Measure decoding, models and the whole pipeline on this machine."""
