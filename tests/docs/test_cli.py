"""Every command is documented, and its help shows an example."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.main import COMMANDS, cli
from tests.e2e.site import ROOMTONE

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def subcommands(name: str) -> list[list[str]]:
    groups = {
        "keys": ["create", "list", "revoke", "bus"],
        "links": ["enroll"],
        "config": ["check", "show", "schema", "export", "diff", "import"],
        "bacnet": ["ede"],
        "bench": ["decode", "pipeline"],
        "train": ["presence", "counting", "localization", "suspicious_object", "activity", "zoo"],
        "data": ["check"],
        "models": ["check", "add", "list"],
    }
    return [[name, sub] for sub in groups.get(name, [])] or [[name]]


@pytest.mark.parametrize("words", [w for name in COMMANDS for w in subcommands(name)], ids=" ".join)
def test_help_has_an_example_and_the_page_a_section(words: list[str]) -> None:
    shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="roomtone", catch_exceptions=False)
    assert shown.exit_code == 0
    assert f"roomtone {' '.join(words)}" in shown.stdout.replace("\n", " ")
    assert "Example" in shown.stdout, f"no example in the help of {words}"
    assert f"roomtone {' '.join(words)}" in PAGE


def test_usage_error_is_exit_code_2() -> None:
    wrong = subprocess.run([ROOMTONE, "inspect"], capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode == 2
