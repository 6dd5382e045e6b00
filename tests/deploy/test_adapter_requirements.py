"""The adapter with the oldest NumPy it promises, in a fresh environment: same frames, same times, to the bit.

NumPy 1 casts by value (a 32-bit time times 1000 stayed 32 bits), so this is not a formality.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from drivers.pipeline import Pipeline
from drivers.registry import load, names
from tests.drivers.samples import SAMPLES

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "deploy" / "adapter-requirements.txt"
OLDEST = "numpy==1.26.4"
READ = """
import hashlib, sys
from pathlib import Path
import numpy
from drivers.pipeline import Pipeline
from drivers.registry import load
print(numpy.__version__)
for name in sys.argv[2:]:
    pipeline = Pipeline(load(name), transmitter="any")
    blocks = pipeline.feed((Path(sys.argv[1]) / name).read_bytes()) + pipeline.finish()
    values = b"".join(block.csi().tobytes() + block.table.tobytes() for block in blocks)
    print(name, hashlib.sha256(values).hexdigest())
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("adapter-host")
    venv.create(folder)
    found = str(folder / "bin" / "python")
    # Our pip installs into it: a pip of its own takes longer to install than all the rest.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", found]
    words = [*pip, "install", "--quiet", "--no-compile", "-r", str(REQUIREMENTS), OLDEST]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return found


def here(file: Path, name: str) -> str:
    pipeline = Pipeline(load(name), transmitter="any")
    blocks = pipeline.feed(file.read_bytes()) + pipeline.finish()
    values = b"".join(block.csi().tobytes() + block.table.tobytes() for block in blocks)
    return hashlib.sha256(values).hexdigest()


def test_every_card_gives_the_same_frames(python: str, tmp_path: Path) -> None:
    for name in names():  # 6 s of frames: more nanoseconds than 32 bits hold
        (tmp_path / name).write_bytes(SAMPLES[name].file(600))
    done = subprocess.run(
        [python, "-W", "error", "-c", READ, str(tmp_path), *names()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    version, *told = done.stdout.split("\n")[:-1]
    assert version == OLDEST.partition("==")[2]
    assert sys.version_info[:2] >= (3, 11)
    assert told == [f"{name} {here(tmp_path / name, name)}" for name in names()]


def test_the_adapter_starts(python: str) -> None:
    done = subprocess.run(
        [python, "-m", "drivers", "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--source" in done.stdout
