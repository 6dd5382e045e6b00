"""The command line as the supervisor starts it."""

import subprocess
import sys

START = """
import runpy, sys
sys.argv = ["roomtone", "--version"]
try:
    runpy.run_module("service.cli", run_name="__main__")
except SystemExit as end:
    assert end.code == 0
assert "numpy" not in sys.modules
"""


def test_numpy_is_not_loaded_before_a_command_says_how_many_threads_it_may_use() -> None:
    """Waiting BLAS threads triple the CPU of a worker; NumPy asks for their number once, when loaded."""
    done = subprocess.run(
        [sys.executable, "-c", START], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
