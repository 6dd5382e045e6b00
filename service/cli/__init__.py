"""The command line `roomtone`: one file a command, imported only when it is called."""

from service.cli.main import main

__all__ = ["main"]
