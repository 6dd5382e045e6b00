"""Arrays of a data set's ``.npz`` files; anything wrong with a file is an error that names it."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import DatasetError


def load_arrays(path: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """These arrays of the file, never a pickled object.

    Raises:
        DatasetError: it cannot be read, lacks one, or they have not one length.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file]
            if missing:
                raise DatasetError(f"{path} lacks {', '.join(missing)}; it holds {', '.join(file.files)}")
            found = {name: file[name] for name in names}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    lengths = {name: len(value) for name, value in found.items()}
    if len(set(lengths.values())) > 1:
        raise DatasetError(f"{path}: arrays differ in length: {lengths}")
    return found


def load_flag(path: Path, name: str) -> int:
    """A single 0 or 1 of the file.

    Raises:
        DatasetError: it cannot be read, lacks it, or says something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if name not in file:
                raise DatasetError(f"{path} lacks {name}; it holds {', '.join(file.files)}")
            value = file[name]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    if value.shape != () or value not in (0, 1):
        raise DatasetError(f"{path}: {name} is {value.tolist()!r}; a single 0 or 1 is expected")
    return int(value)


def names_in(path: Path) -> set[str]:
    """Names of the file's arrays; none where it is no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return set(file.files)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        return set()
