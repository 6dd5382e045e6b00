"""People-counting data sets laid out like crowd_rooms_5300: ``DIR/<domain>/<n>p.<suffix>``, n people."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from drivers.batch import in_slots
from drivers.errors import DriverError
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.source import nic_of, read_chunks
from models.data.samples import Samples, samples_of, windows_of
from models.errors import DatasetError
from models.signal.window import WindowSpec

_RECORDING = re.compile(r"(\d+)p\..+")


def domains(data: Path) -> dict[str, dict[int, Path]]:
    """Recordings by domain (folder) and number of people.

    Raises:
        DatasetError: the folder is not there, or holds no such recording.
    """
    if not data.is_dir():
        raise DatasetError(f"data set {data} does not exist (expected a folder of <domain>/<n>p.dat.xz)")
    found = {
        folder.name: {int(match[1]): path for path in sorted(folder.iterdir()) if (match := _name(path))}
        for folder in sorted(data.iterdir())
        if folder.is_dir()
    }
    found = {name: recordings for name, recordings in found.items() if recordings}
    if not found:
        raise DatasetError(f"data set {data} holds no recording; expected <domain>/<n>p.dat or .dat.xz")
    return found


def _name(path: Path) -> re.Match[str] | None:
    return _RECORDING.fullmatch(path.name) if path.is_file() else None


def digest(paths: Sequence[Path]) -> str:
    """Sha256 over the recordings' names and bytes."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.parent.name}/{path.name}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def blocks_of(path: Path) -> Iterator[FrameBlock]:
    """Frames of one capture and one sender in short blocks in stream order, as the bus would carry them.

    Raises:
        DatasetError: it cannot be read, or is no CSI capture.
    """
    try:
        pipeline = Pipeline(nic_of(path))
        blocks = [block for chunk in read_chunks(path) for block in pipeline.feed(chunk)]
        yield from in_slots([*blocks, *pipeline.finish()])
    except DriverError as error:
        raise DatasetError(f"recording {path}: {error}") from error


def load(
    data: Path,
    wanted: Sequence[str],
    spec: WindowSpec,
    *,
    people: Sequence[int] | None = None,
    progress: Callable[[str, float], None] = lambda _what, _share: None,
) -> Samples:
    """All windows of these domains.

    Raises:
        DatasetError: a domain is unknown, a class has no recording, or a recording no window.
    """
    known = domains(data)
    for name in wanted:
        if name not in known:
            raise DatasetError(f"unknown domain {name!r} in {data}; there are {', '.join(known)}")
    jobs = [(name, n, known[name][n]) for name in wanted for n in _classes(name, known[name], people)]
    parts = []
    for done, (name, count, path) in enumerate(jobs):
        progress(f"{name}/{path.name}", done / len(jobs))
        parts.append(_recording(path, name, count, spec))
    progress("features", 1.0)
    return Samples.join(parts)


def _classes(name: str, there: dict[int, Path], people: Sequence[int] | None) -> list[int]:
    wanted = sorted(there) if people is None else list(people)
    for count in wanted:
        if count not in there:
            raise DatasetError(f"class {count} of domain {name!r} is empty: it has {sorted(there)}")
    return wanted


def _recording(path: Path, domain: str, people: int, spec: WindowSpec) -> Samples:
    blocks = list(blocks_of(path))
    windows = windows_of(blocks, spec)
    if not windows:
        raise DatasetError(f"recording {path} is shorter than one window of {spec.length_s:g} s")
    origin = int(blocks[0].table["capture_ns"][0])
    return samples_of(
        windows, domain=domain, session=f"{domain}/{people}p", people=people, spec=spec, origin_ns=origin
    )
