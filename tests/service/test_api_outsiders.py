"""Strangers read the OpenAPI document: a checker, a client generator, and a viewer in a real browser."""

import functools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.service.running import Running

ROOT = Path(__file__).parents[2]
OUTSIDERS = ROOT / ".venv-outsiders"
VIEWER = OUTSIDERS / "node" / "node_modules" / "swagger-ui-dist"
CHROMIUM = Path("/usr/bin/chromium")
HOW = "`make api-outsiders` installs it"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>viewer</title>
<div id="ui"></div><script src="swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", docExpansion: "list"})</script>"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("outsiders")) as running:
        yield running


@pytest.fixture
def document(api: Running, tmp_path: Path) -> Path:
    """What the running server publishes, as a file."""
    file = tmp_path / "openapi.json"
    with api.client_of(None) as anybody:
        file.write_bytes(anybody.get("/v1/openapi.json").content)
    return file


def run(*words: str) -> str:
    """Output of an outsider's program; it finds its own tools first."""
    path = {"PATH": f"{OUTSIDERS / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, timeout=120, env={**os.environ, **path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (OUTSIDERS / "bin" / "openapi-spec-validator").exists(), reason=f"no checker: {HOW}")
def test_a_checker_finds_the_document_valid(document: Path) -> None:
    assert "OK" in run(str(OUTSIDERS / "bin" / "openapi-spec-validator"), str(document))
    assert json.loads(document.read_text())["openapi"].startswith("3.1")


@pytest.mark.skipif(not (OUTSIDERS / "bin" / "openapi-python-client").exists(), reason=f"no generator: {HOW}")
def test_a_generated_client_talks_to_the_server(api: Running, document: Path, tmp_path: Path) -> None:
    generator = str(OUTSIDERS / "bin" / "openapi-python-client")
    target = str(tmp_path / "generated")
    run(generator, "generate", "--path", str(document), "--output-path", target, "--meta", "none")
    stranger = str(ROOT / "tests" / "peers" / "api_client.py")
    told = run(str(OUTSIDERS / "bin" / "python"), stranger, str(tmp_path), api.base, api.key)
    assert json.loads(told) == {
        "made": 201,
        "name": "Gallery",
        "capacity": 12,
        "rooms": ["gallery"],
        "tasks": ["presence", "counting"],
        "key": "rt_",
        "missing": [404, "/problems/room-not-found"],
    }


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def viewer(document: Path, tmp_path: Path) -> Iterator[str]:
    """The viewer's own files beside the document."""
    folder = tmp_path / "viewer"
    folder.mkdir()
    shutil.copy(VIEWER / "swagger-ui-bundle.js", folder)
    shutil.copy(document, folder)
    (folder / "view.html").write_text(PAGE)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/view.html"
    server.shutdown()
    server.server_close()


@pytest.mark.browser
@pytest.mark.skipif(not VIEWER.exists(), reason=f"no viewer: {HOW}")
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
def test_a_viewer_shows_every_operation_without_errors(viewer: str, document: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    operations = sum(len(methods) for methods in json.loads(document.read_text())["paths"].values())
    troubles: list[Any] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: line.type == "error" and troubles.append(line.text))
        page.goto(viewer)
        page.wait_for_selector(".opblock", timeout=60_000)
        shown = page.locator(".opblock").count()
        page.locator(".opblock-summary-control").filter(has_text="/v1/rooms").first.click()
        page.wait_for_selector(".opblock.is-open .responses-wrapper", timeout=60_000)
        said = page.locator(".errors-wrapper").count()
        browser.close()
    assert shown == operations
    assert said == 0, "the viewer complains"
    assert troubles == []
