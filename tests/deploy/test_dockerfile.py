"""The Dockerfile's install and start lines work, in a fresh venv (no image is built)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
pytestmark = pytest.mark.timeout(400)


def lines(word: str) -> list[str]:
    """Arguments of each instruction `word`, continuation lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [match.group(1).strip() for match in re.finditer(rf"^{word} (.+)$", joined, re.MULTILINE)]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in " ".join(lines("ENV")).split())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what COPY brings, and a venv in which the install line was run."""
    folder = tmp_path_factory.mktemp("image")
    for line in lines("COPY"):
        *sources, target = line.split()
        for name in sources:
            place = folder / target if len(sources) == 1 else folder / target / name
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, place)
    venv.create(folder / "venv")
    install = next(line for line in lines("RUN") if "pip install" in line)
    # Our pip installs into it: a pip of its own, for this one line, takes seconds to install.
    program, *words = install.replace("-m pip", f"-m pip --python {folder}/venv/bin/python", 1).split()
    assert (program, words[:2]) == ("python", ["-m", "pip"])
    hasty = {**os.environ, "PIP_COMPILE": "0"}  # most of it is never imported here
    subprocess.run([sys.executable, *words, "--quiet"], cwd=folder, env=hasty, check=True)
    yield folder
    shutil.rmtree(folder / "venv")


def start_line(image: Path) -> list[str]:
    program, *rest = json.loads(lines("CMD")[-1])
    return [str(image / "venv" / "bin" / program), *rest]


def environment(data_dir: Path, **changes: str) -> dict[str, str]:
    """The image's environment with its own data folder, without what this shell has set."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    return {**clean, **image_environment(), "ROOMTONE_DATA_DIR": str(data_dir), **changes}


def test_start_line_serves(image: Path, tmp_path: Path) -> None:
    port = free_port()
    env = environment(
        tmp_path / "data",
        ROOMTONE_SERVER__HOST="127.0.0.1",
        ROOMTONE_SERVER__PORT=str(port),
        ROOMTONE_INGEST__ENDPOINT=f"tcp://127.0.0.1:{free_port()}",
    )
    service = subprocess.Popen(start_line(image), cwd=tmp_path, env=env)
    try:
        assert wait_until_ready(f"http://127.0.0.1:{port}/readyz", service) == 200
    finally:
        service.terminate()
        assert service.wait(timeout=30) == 0


def test_refuses_the_open_network_without_tls(image: Path, tmp_path: Path) -> None:
    refusal = subprocess.run(  # noqa: PLW1510 - the code is what we look at
        start_line(image),
        cwd=tmp_path,
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refusal.returncode == 1
    assert "trusted_proxy" in refusal.stderr


def test_image_has_no_torch_and_all_data_files(image: Path) -> None:
    look = (
        "import importlib.util as u, models.zoo, service.api, pathlib;"
        "assert u.find_spec('torch') is None;"
        "zoo = pathlib.Path(models.zoo.__file__).parent;"
        "assert list(zoo.rglob('*.onnx')), 'no models in the wheel';"
        "web = pathlib.Path(service.api.__file__).parents[1] / 'web';"
        "assert (web / 'index.html').is_file(), 'no dashboard in the wheel'"
    )
    subprocess.run([image / "venv" / "bin" / "python", "-c", look], cwd="/", check=True)


def wait_until_ready(url: str, service: subprocess.Popen[bytes]) -> int:
    """Status of `url` once it answers 200, or its last status after a minute."""
    status = 0
    deadline = time.monotonic() + 60
    while status != 200 and time.monotonic() < deadline:
        assert service.poll() is None, f"the service stopped with {service.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            time.sleep(0.2)
    return status
