"""Packages of other people, put where Python finds them as pip would put them."""

import sys
from pathlib import Path

import pytest


class Install:
    """Makes a distribution of one module with one entry point."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, monkeypatch
        monkeypatch.syspath_prepend(str(folder))

    def __call__(self, group: str, name: str, module: str, source: str | None, thing: str = "") -> None:
        """`thing` is what the entry point names inside the module; without `source` there is no module."""
        self._patch.delitem(sys.modules, module, raising=False)
        info = self._folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}{thing and ':'}{thing}\n")
        if source is not None:
            (self._folder / f"{module}.py").write_text(source)
