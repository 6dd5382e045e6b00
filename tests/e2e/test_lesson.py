"""Docs/adaptation.md as it stands: a room is taught and untaught, by replays and by uploads."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import ROOMTONE, Site

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "examples" / "adapt_a_room.py"
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with models of simulation alone, in a hurry; each test has a room of its own."""
    with Site(tmp_path_factory.mktemp("site"), more={"ROOMTONE_ADAPTATION__BUDGET_S": "5"}) as running:
        yield running


def story(site: Site, *command: str) -> dict[str, object]:
    """What the script tells last."""
    done = subprocess.run(
        command,
        cwd=site.folder,
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_page_word_for_word(site: Site) -> None:
    (text,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "adaptation.md").read_text(), re.DOTALL)
    here = {
        ".venv/bin/roomtone": str(ROOMTONE),
        ".venv/bin/python": sys.executable,
        "docs/examples/": f"{SCRIPT.parent}/",
        "127.0.0.1:8000": f"127.0.0.1:{site.port}",
    }
    for words, ours in here.items():
        assert words in text
        text = text.replace(words, ours)
    told = story(site, "bash", "-euo", "pipefail", "-c", text)
    assert told["state"] == "provisional"
    assert told["after"] > told["rolled_back"]  # type: ignore[operator]


def test_captures_that_are_uploaded(site: Site) -> None:
    captures = site.folder / "uploads"
    captures.mkdir()
    for people in (0, 5):
        words = [
            "simulate",
            "--people",
            f"50s:{people}",
            "--seed",
            "3",
            "-o",
            str(captures / f"{people}p.dat"),
        ]
        subprocess.run([ROOMTONE, *words], check=True, capture_output=True)
    words = [sys.executable, str(SCRIPT), "--captures", str(captures), "--url", site.base, "--key", site.key]
    words += ["--roomtone", str(ROOMTONE), "--method", "head_refit", "--upload", "--until", "50"]
    words += ["--room", "uploads", "--link", "uploads-link"]
    told = story(site, *words)
    assert told["state"] == "provisional"
    assert told["after"] > told["rolled_back"]  # type: ignore[operator]
