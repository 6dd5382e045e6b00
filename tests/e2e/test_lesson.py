"""The script of docs/adaptation.md, on captures that are simulated here: a room is taught and untaught."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.site import ROOMTONE, Site

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "adapt_a_room.py"


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of 60 s with nobody, one and five people in one room."""
    folder = tmp_path_factory.mktemp("captures")
    for people in (0, 1, 5):
        words = ["simulate", "--people", f"60s:{people}", "--seed", "3", "-o", str(folder / f"{people}p.dat")]
        subprocess.run([ROOMTONE, *words], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("form", ["replayed", "uploaded"])
def test_the_script_teaches_a_room(site: Site, captures: Path, form: str) -> None:
    words = [sys.executable, str(SCRIPT), "--captures", str(captures), "--url", site.base, "--key", site.key]
    words += [
        "--to",
        site.endpoint,
        "--roomtone",
        f"{sys.executable} -m service.cli",
        "--method",
        "head_refit",
    ]
    words += ["--upload"] if form == "uploaded" else []
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=150, check=False, env=site.environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["state"] == "provisional"
    assert told["after"] > told["rolled_back"]
