"""The command line where torch is not installed, as after `make run`."""

import subprocess
import sys

import pytest

from service.cli.main import COMMANDS

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from service.cli import main; main()"


def roomtone(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_lists_every_command_by_its_name() -> None:
    shown = roomtone("--help")
    assert shown.returncode == 0, shown.stderr
    listed = [line.split()[1] for line in shown.stdout.splitlines() if line.startswith("│ ")]
    assert [word for word in listed if word in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_command_that_needs_torch_says_so_in_one_line(command: str) -> None:
    told = roomtone(command, "presence", "--data", "anywhere")
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr.startswith(f"roomtone: {command} needs torch")
    assert "Traceback" not in told.stderr


def test_commands_offer_no_shell_completion() -> None:
    for command in ("api", "keys", "bench"):
        assert "completion" not in roomtone(command, "--help").stdout
