"""The page on curl, run as it stands against a running API, and addresses that other pages name."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.running import Running

PAGES = Path(__file__).parents[2] / "docs" / "integrations"
CURL = re.findall(r"```sh\n(.*?)```", (PAGES / "curl.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("curl")) as running:
        yield running


def test_curl_from_the_first_line_to_the_last(api: Running) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    script = "\n".join(f"{block}\necho; echo ----" for block in CURL)
    here = script.replace("http://127.0.0.1:8000", api.base).replace("rt_your_key", api.key)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    _, made, states, cached, changed, log, alerts, key, problem, openapi = (
        part.strip() for part in done.stdout.split("----\n")[:-1]
    )
    assert json.loads(made)["name"] == "Lobby, ground floor"
    assert '"status":"unknown"' in states
    assert cached == "304"
    assert json.loads(changed)["stale_after_s"] == 20
    assert "org.roomtone.room.changed" in log
    assert '"items":[]' in alerts
    assert json.loads(key)["room"] == "lobby"
    assert json.loads(problem)["status"] == 404
    assert json.loads(openapi)["openapi"].startswith("3.1")


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_routes_that_pages_name_are_there(page: Path, api: Running) -> None:
    paths = api.client.get("/v1/openapi.json").json()["paths"]
    known = [re.sub(r"\{\w+\}", "[^/]+", path) for path in paths]
    for named in re.findall(r"/v[12]/[\w/.{}-]*\w", page.read_text()):
        assert any(re.fullmatch(path, named) for path in known), f"{page.name}: {named}"
