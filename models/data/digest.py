"""What data a figure was computed from, as one number."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(paths: Iterable[Path]) -> str:
    """Sha256 over the files' names (with their folder) and bytes, in order of path."""
    total = hashlib.sha256()
    for path in sorted(set(paths)):
        total.update(f"{path.parent.name}/{path.name}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
