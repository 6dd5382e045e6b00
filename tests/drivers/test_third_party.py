"""NICs of other packages: taken by their entry point, and never a hindrance where they are broken."""

import sys
from pathlib import Path

import pytest

from drivers.errors import UnknownFormatError
from drivers.registry import detect, load, names
from drivers.stream import Stream
from tests.drivers.samples import SAMPLES

WHOLE = """
from drivers.feitcsi import *
NAME, TITLE = "toy", "Toy card"
def sniff(head): return "it begins with TOY!" if head.startswith(b"TOY!") else None
"""
INTEL = SAMPLES["intel5300"].file(5)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Install":
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("toynic", "halfnic"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return Install(tmp_path)


class Install:
    """Puts packages where Python finds them, as pip would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, nic: str, module: str, source: str | None) -> None:
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[roomtone.nics]\n{nic} = {module}\n")
        if source is not None:
            (self.folder / f"{module}.py").write_text(source)


def test_a_nic_of_another_package_is_taken(install: Install) -> None:
    install("toy", "toynic", WHOLE)
    assert "toy" in names()
    nic, why = detect(b"TOY!" + bytes(400))
    assert (nic.NAME, why) == ("toy", "it begins with TOY!")
    stream = Stream(load("toy"))
    assert sum(map(len, stream.feed(SAMPLES["feitcsi"].file(3)) + stream.finish())) == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "No module named 'halfnic'"),
        ("import drivers.nothing", "No module named 'drivers.nothing'"),
        ("NAME = 'half'", "it lacks TITLE, CLOCK_WRAP_NS, "),
    ],
)
def test_a_broken_one_costs_only_itself(install: Install, source: str | None, said: str) -> None:
    install("half", "halfnic", source)
    assert detect(INTEL)[0].NAME == "intel5300"
    with pytest.raises(UnknownFormatError, match="half") as raised:
        load("half")
    assert said in str(raised.value)
    assert "halfnic 1.0" in str(raised.value)


def test_what_nobody_knows_may_be_known_to_the_broken_one(install: Install) -> None:
    install("half", "halfnic", None)
    with pytest.raises(UnknownFormatError, match=r"not a CSI capture.*'half'.* cannot be used"):
        detect(b"TOY!" + bytes(400))
