"""`roomtone config`: is the configuration right, what does it say, and rooms and rules as files."""

from typing import ClassVar

import typer

from service.cli.main import LazyGroup


class ConfigGroup(LazyGroup):
    """Each command is imported when it is called."""

    table: ClassVar[dict[str, str]] = {
        "check": "service.cli.config.check",
        "show": "service.cli.config.show",
        "schema": "service.cli.config.schema",
        "export": "service.cli.config.export",
        "diff": "service.cli.config.diff",
        "import": "service.cli.config.import_",
    }


app = typer.Typer(
    cls=ConfigGroup,
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone config check site.toml",
)


@app.callback()
def config() -> None:
    """Check and show the settings of a site; write its rooms, links and alert rules to files and back."""
