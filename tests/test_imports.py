"""The packages are ours, and serving stays free of training libraries (ADR 1, import-linter)."""

import subprocess
import sys
from pathlib import Path

import drivers
import models
import service

ROOT = Path(__file__).parents[1]


def test_import_names_are_ours() -> None:
    for package in (drivers, models, service):
        assert Path(str(package.__file__)).is_relative_to(ROOT)


def test_serving_loads_no_training_library() -> None:
    program = (
        "import sys, service.worker, service.api.app, models.sensing;"
        "heavy = {'torch', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_drivers_load_numpy_zmq_msgspec_only() -> None:
    program = (
        "import sys, drivers.publish, drivers.sender, drivers.intel5300;"
        "ours = {name.split('.')[0] for name in sys.modules if not name.startswith('_')};"
        "assert not {'pydantic', 'fastapi', 'structlog', 'typer', 'sqlalchemy'} & ours"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
