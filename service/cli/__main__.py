"""`python -m service.cli`: the command line as the supervisor starts its parts."""

import os
import signal
import threading
import time

from service.cli import main
from service.pipe import PIPE_VARIABLE

_GRACE_S = 4.0


def _end_with_supervisor(pipe: int) -> None:
    """End this process when the other end of the pipe closes, which it does however the supervisor dies."""
    while os.read(pipe, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


if PIPE_VARIABLE in os.environ:
    inherited = int(os.environ.pop(PIPE_VARIABLE))
    threading.Thread(target=_end_with_supervisor, args=[inherited], daemon=True).start()
if __name__ == "__main__":
    main()
