"""The systemd units are ones that systemd itself accepts."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.fixture
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the unit whose program exists, since verify wants an executable at the path."""
    source: Path = request.param
    program = tmp_path / "roomtone"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    name = source.name.replace("@.service", "@l1.service")
    text = source.read_text().replace("/opt/roomtone/.venv/bin/roomtone", str(program))
    copy = tmp_path / name
    copy.write_text(text.replace("User=roomtone\nGroup=roomtone\n", ""))
    return copy


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name, indirect=True)
def test_systemd_accepts_unit(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    verdict = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    about_us = [line for line in verdict.stderr.splitlines() if unit.name in line]
    assert verdict.returncode == 0, verdict.stderr
    assert not about_us, about_us


def test_there_are_units() -> None:
    assert {path.name for path in UNITS} == {"roomtone.service", "roomtone-adapter@.service"}
