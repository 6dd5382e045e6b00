"""Streams that once broke a parser, and the fuzzer that finds them, at a small scale."""

from pathlib import Path

import pytest

from drivers.registry import load, names
from tests.drivers.samples import SAMPLES
from tests.fuzz.run import fuzz, parse, same

FINDS = sorted((Path(__file__).parent / "regressions").glob("*.bin"))


def test_what_broke_a_parser_once_does_not_again() -> None:
    """Every find that `make fuzz` left here, and sound files: in one piece and in small ones."""
    streams = [(find.name.split("-")[0], find.read_bytes()) for find in FINDS]
    streams += [(name, SAMPLES[name].file(6)) for name in names()]
    for name, data in streams:
        whole = parse(load(name), data, [])
        for size in (1, 7, 64, 1000):
            cuts = list(range(size, len(data), size))
            same(parse(load(name), data, cuts), whole, cuts)


@pytest.mark.parametrize("name", names())
def test_a_few_thousand_damaged_records(name: str) -> None:
    report = fuzz(name, records=3000, captures=None, seed=7)
    assert report["finds"] == []
    assert report["frames"] > 0
    assert sum(report["rejected"].values()) > 0
