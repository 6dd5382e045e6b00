"""The README's commands work as they stand, on a real site; only ports and folders are the test's."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import ROOMTONE, Site, wait_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.timeout(240)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("readme"), demo=True) as running:
        wait_for(lambda: running.state("demo", "presence").get("status") == "ok", "the demo room")
        yield running


def as_here(site: Site, text: str) -> str:
    """The block with this test's paths and ports."""
    return text.replace(".venv/bin/roomtone", str(ROOMTONE)).replace(
        "127.0.0.1:8000", f"127.0.0.1:{site.port}"
    )


def shell(site: Site, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", as_here(site, text)],
        cwd=site.folder,
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert blocks("sh")[0].strip() == "make run"
    for target in ("run", "test", "check"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_first_question(site: Site) -> None:
    asked = shell(site, blocks("sh")[1])
    assert asked.returncode == 0, asked.stderr
    assert '"room":"demo"' in asked.stdout.replace(" ", "")
    assert '"simulated"' in asked.stdout


def test_capture_of_your_own(site: Site) -> None:
    done = shell(site, blocks("sh")[2])
    assert done.returncode == 0, done.stderr
    for name in ("capture.dat", "capture.png", "capture.npz"):
        assert (site.folder / name).stat().st_size > 0
    assert site.state("lab", "presence")["source"] == "replay"


def test_first_stream_client(site: Site) -> None:
    client = subprocess.Popen(
        [sys.executable, "-u", "-c", as_here(site, blocks("python")[0])],
        env=site.environment | {"ROOMTONE_KEY": site.key},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    line = client.stdout.readline()
    client.kill()
    client.wait()
    client.stdout.close()
    assert re.match(r"\d+ org\.roomtone\.", line), line


def test_links_to_pages_of_the_repository_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
