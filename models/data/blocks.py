"""Data sets of one class a file: domains are files, or groups of them; each file is read by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models.data.arrays import load_flag
from models.data.registry import Progress, check_wanted
from models.data.samples import Samples
from models.errors import DatasetError

Read = Callable[[Path, str, int, tuple[str, ...]], Samples]
"""File, domain, class and names of the classes -> rows."""


def files_by(folder: Path, group: Callable[[str], str]) -> Mapping[str, Sequence[Path]]:
    """Each ``*_*.npz`` by its name, and all of a group by what `group` makes of the name.

    Raises:
        DatasetError: there is none.
    """
    files = sorted(folder.glob("*_*.npz"))
    if not files:
        raise DatasetError(f"data set {folder} holds no <name>_<name>.npz")
    found = {path.stem: [path] for path in files}
    for path in files:
        found.setdefault(group(path.stem), []).append(path)
    return found


def rows_of(
    folder: Path,
    known: Mapping[str, Sequence[Path]],
    wanted: Sequence[str],
    read: Read,
    *,
    flag: str,
    names: tuple[str, str],
    classes: Sequence[str] | None,
    guard_s: float,
    progress: Progress,
) -> Samples:
    """Rows of these domains; the array `flag` of a file says which of the two classes all of it is.

    Raises:
        DatasetError: a domain or class is unknown, a file is damaged, or nothing of a class is there.
    """
    check_wanted(folder, known, wanted)
    kept = tuple(names if classes is None else classes)
    jobs = [(domain, path) for domain in wanted for path in known[domain]]
    labels = [names[load_flag(path, flag)] for _, path in jobs]
    for name in kept:
        if name not in names:
            raise DatasetError(f"no class {name!r} in {folder}; there are {', '.join(names)}")
        if classes is not None and name not in labels:
            raise DatasetError(f"class {name!r} of {', '.join(wanted)} is empty")
    parts = []
    for done, ((domain, path), label) in enumerate(zip(jobs, labels, strict=True)):
        progress(path.name, done / len(jobs))
        if label in kept:
            parts.append(read(path, domain, kept.index(label), kept))
    progress("features", 1.0)
    return replace(Samples.join(parts), guard=guard_s)
