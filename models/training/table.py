"""Judged units as a Parquet table."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from models.errors import SelectionError
from models.training.report import Report


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
    found = np.concatenate([one.found for one in judged])
    label = np.concatenate([one.label for one in judged])
    return {
        "seed": np.repeat(np.arange(len(judged)), [len(one.label) for one in judged]),
        "domain": np.concatenate([one.domain for one in judged]).tolist(),
        "session": np.concatenate([one.session for one in judged]).tolist(),
        "start_s": np.concatenate([one.start_s for one in judged]),
        **_answers(report.classes, found, label),
    }


def _answers(
    classes: tuple[str, ...], found: npt.NDArray[np.float64], label: npt.NDArray[Any]
) -> dict[str, Any]:
    """Label and probabilities by class; or true and found places in metres."""
    if classes:
        return {"label": label, **{f"probability_{name}": found[:, i] for i, name in enumerate(classes)}}
    names = ("found_x_m", "found_y_m", "sigma_m")[: found.shape[1]]
    columns = {name: found[:, i] for i, name in enumerate(names)}
    return {"x_m": label[:, 0], "y_m": label[:, 1], **columns}
