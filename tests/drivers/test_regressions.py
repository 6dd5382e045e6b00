"""Streams that once broke a parser, and the fuzzer that finds them, at a small scale."""

from pathlib import Path

import pytest

from drivers.registry import load, names
from tests.fuzz.run import fuzz, parse

FINDS = sorted((Path(__file__).parent / "regressions").glob("*.bin"))


@pytest.mark.parametrize("find", FINDS, ids=[find.name for find in FINDS])
def test_what_broke_a_parser_once_does_not_again(find: Path) -> None:
    nic, data = load(find.name.split("-")[0]), find.read_bytes()
    frames, stream = parse(nic, data, [])
    for size in (1, 7, 64, 1000):
        again, other = parse(nic, data, list(range(size, len(data), size)))
        assert again == frames
        assert other.account == stream.account


@pytest.mark.parametrize("name", names())
def test_a_few_thousand_damaged_records(name: str) -> None:
    report = fuzz(name, records=3000, captures=None, seed=7)
    assert report["finds"] == []
    assert report["frames"] > 0
    assert sum(report["rejected"].values()) > 0
