"""Judged units as a Parquet table."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from models.errors import SelectionError
from models.training.evaluate import Report


def write_predictions(report: Report, path: Path) -> None:
    """Write domain, session, start, label and class probabilities of every judged unit and seed.

    Raises:
        SelectionError: the file cannot be written.
    """
    try:
        parquet.write_table(pa.table(_columns(report)), path)
    except OSError as error:
        raise SelectionError(f"cannot write {path}: {error}") from error


def _columns(report: Report) -> dict[str, Any]:
    judged = report.judged
    probabilities = np.concatenate([one.probabilities for one in judged])
    return {
        "seed": np.repeat(np.arange(len(judged)), [len(one.label) for one in judged]),
        "domain": np.concatenate([one.domain for one in judged]).tolist(),
        "session": np.concatenate([one.session for one in judged]).tolist(),
        "start_s": np.concatenate([one.start_s for one in judged]),
        "label": np.concatenate([one.label for one in judged]),
        **{f"probability_{name}": probabilities[:, i] for i, name in enumerate(report.classes)},
    }
