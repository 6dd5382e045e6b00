"""NVIDIA's public client of the Open Inference Protocol against the real API."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from models.runtime import Backbone
from models.signal.view import View
from models.zoo import find_model
from tests.service.running import Running
from tests.service.tensors import inputs, window

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-oip" / "bin" / "python"
MODEL = "counting-simulation"


@pytest.mark.skipif(not PYTHON.exists(), reason="no tritonclient here: `make oip-client` installs it")
def test_a_public_client_talks_to_the_service(tmp_path: Path) -> None:
    view = View(window())
    with Running(tmp_path) as api:
        words = [str(PYTHON), str(ROOT / "tests" / "peers" / "oip_client.py")]
        words += [f"127.0.0.1:{api.port}", api.key, MODEL]
        done = subprocess.run(
            words, input=json.dumps(inputs(view)), capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["live"], told["ready"], told["model_ready"], told["server"]) == (
        True,
        True,
        True,
        "roomtone",
    )
    assert told["inputs"][:2] == ["features", "mask"]
    assert told["outputs"] == ["embedding", "logits", "probabilities"]
    assert told["id"] == "7"
    assert told["refusal"] == "input 'mask' is missing"
    shelved = find_model(MODEL, ["open"])
    assert shelved is not None
    expected = Backbone(shelved).read(view)
    assert expected is not None
    assert np.array_equal(np.array(told["logits"], np.float32)[0], expected)
    assert told["again"] == told["logits"]
