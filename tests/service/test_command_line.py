"""The command line where torch is not installed, as after `make run`."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import typer.main
from rich.text import Text
from typer.core import TyperGroup

from service.cli.main import COMMANDS, cli

WITHOUT_TORCH = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "sklearn", "scipy", "skl2onnx", "onnxscript", "onnx"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from service.cli import main
main()
"""
"""Libraries of the extra `train` cannot be found."""


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
    assert told.stderr.startswith(f"roomtone: {command} needs ")
    assert "extra `train`" in told.stderr
    assert "Traceback" not in told.stderr


def test_commands_offer_no_shell_completion() -> None:
    for command in ("api", "keys", "bench"):
        assert "completion" not in roomtone(command, "--help").stdout


def _commands(group: TyperGroup, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below, groups too, and what it is called by."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield f"{path} {name}", command
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{path} {name}")


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    root = typer.main.get_command(cli)
    assert isinstance(root, TyperGroup)
    return dict(_commands(root))


def test_help_shows_all_that_was_written(commands: dict[str, Any]) -> None:
    """Square brackets are markup there: unescaped, a shape such as ``[frame, rx]`` is swallowed."""
    for name, command in commands.items():
        for text in [
            command.help,
            command.epilog,
            *(getattr(option, "help", "") for option in command.params),
        ]:
            assert Text.from_markup(text or "").plain == (text or "").replace("\\[", "["), name


def test_every_command_has_an_example(commands: dict[str, Any]) -> None:
    assert " keys create" in commands
    for name, command in commands.items():
        assert (command.epilog or "").startswith("Example: roomtone "), name
