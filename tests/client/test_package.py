"""The wheel of the client: built, typed, and free of everything of ours and of the service's libraries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2] / "deploy" / "client-python"
PROGRAM = """
import sys; sys.path.insert(0, sys.argv[1])
import roomtone_client
assert roomtone_client.__file__.startswith(sys.argv[1]), roomtone_client.__file__
names = {name.partition('.')[0] for name in sys.modules}
print(sorted(names & {'service', 'models', 'drivers', 'numpy', 'fastapi', 'pydantic', 'sqlalchemy', 'zmq'}))
"""


def test_the_wheel_stands_by_itself(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=HOME, capture_output=True, text=True, check=False)
    if "No module named hatchling" in done.stderr:
        pytest.skip("hatchling, which builds wheels, is not installed beside the tests")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("roomtone_client-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "there")
    assert "roomtone_client/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"roomtone_client"}
    found = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(tmp_path / "there")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert found.stdout.strip() == "[]"
