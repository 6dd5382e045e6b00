"""How a supervised part learns that its supervisor is gone.

A module of its own because `python -m service.cli` reads it first: whoever imported the supervisor there
would load NumPy before the command has said how many threads it may use.
"""

from typing import Final

PIPE_VARIABLE: Final = "_ROOMTONE_SUPERVISOR_PIPE"
"""Names the file descriptor whose end of file tells a part that its supervisor is gone."""
