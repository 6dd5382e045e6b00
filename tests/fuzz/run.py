"""Fuzzing of the parsers: a million damaged records a NIC, and what must hold for every one of them.

    python -m tests.fuzz.run --records 1000000 [--nic NAME] [--captures ../shared/captures] [--json]

* No exception, whatever the bytes: parsing has no error tree of its own, so every exception is a find.
* The books are closed: every byte is in a frame, skipped or rejected.
* The outcome does not depend on how the stream was cut.
* A damaged record costs at most itself: how many sound neighbours were lost is counted and told.
* Memory stays bounded.

A find is written to ``tests/drivers/regressions/<nic>-<digest>.bin``, where the test suite repeats it.
"""

import argparse
import hashlib
import json
import resource
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from drivers.registry import Nic, load, names
from drivers.stream import Stream
from tests.drivers.intel import frames_in_order
from tests.fuzz.material import Material, material
from tests.fuzz.mutate import damaged

REGRESSIONS = Path(__file__).parent.parent / "drivers" / "regressions"
ROUND = 200
DAMAGED_SHARE = 0.5
COMPARE_EVERY = 4


class FindError(AssertionError):
    """Something that must hold did not."""


def parse(nic: Nic, data: bytes, cuts: list[int]) -> tuple[list[Any], Stream]:
    """Frames in order of a stream that comes in these pieces.

    Raises:
        FindError: an exception, or bytes that nobody accounts for.
    """
    stream, blocks, start = Stream(nic), [], 0
    try:
        for cut in [*cuts, len(data)]:
            blocks += stream.feed(data[start:cut])
            start = cut
        blocks += stream.finish()
        frames = frames_in_order(blocks)
    except Exception as error:
        raise FindError(f"{type(error).__name__}: {error}") from error
    if stream.account.total_bytes != len(data):
        raise FindError(
            f"{len(data) - stream.account.total_bytes} of {len(data)} bytes are not accounted for"
        )
    return frames, stream


def same(parts: tuple[list[Any], Stream], whole: tuple[list[Any], Stream], cuts: list[int]) -> None:
    """Complain (FindError) if a stream in pieces gives something else than in one."""
    if parts[0] != whole[0] or parts[1].account != whole[1].account:
        raise FindError(f"cut at {cuts} it gives {len(parts[0])} frames, in one piece {len(whole[0])}")


class Fuzzer:
    """Fuzzes one NIC.

    Args:
        nic: whose parser.
        stuff: what to damage.
        seed: of the damage.
    """

    def __init__(self, nic: Nic, stuff: Material, seed: int) -> None:
        self.nic, self._stuff, self._rng = nic, stuff, np.random.default_rng([seed, len(nic.NAME)])
        self.damaged = self.sound = self.sound_lost = self.streams = self.bytes = self.frames = 0
        self.finds: list[str] = []
        self.rejected: Counter[str] = Counter()

    def round(self) -> None:
        """One stream of `ROUND` records, about half of them damaged; now and then one of a real file."""
        rng, stuff = self._rng, self._stuff
        if stuff.captures and rng.random() < 0.2:
            self._check(self._damaged_capture(stuff.captures[int(rng.integers(len(stuff.captures)))]), [])
            return
        chosen = rng.integers(0, len(stuff.records), ROUND)
        hurt = rng.random(ROUND) < DAMAGED_SHARE * rng.random()
        pieces, whole = [], []
        for which, hit in zip(chosen.tolist(), hurt.tolist(), strict=True):
            record, values = stuff.records[which]
            pieces.append(damaged(record, rng) if hit else record)
            if not hit:
                whole.append(values)
        self.damaged += int(hurt.sum())
        self._check(self.nic.opening() + b"".join(pieces), whole)

    def _damaged_capture(self, capture: bytes) -> bytes:
        """A piece of a real file with damage about every 2 kB."""
        start = 0 if self._rng.random() < 0.5 else int(self._rng.integers(0, len(capture)))
        piece = capture[start : start + 60_000]
        if len(piece) < 2:
            return piece
        places = [
            0,
            *np.sort(self._rng.integers(0, len(piece), max(len(piece) // 2000, 1))).tolist(),
            len(piece),
        ]
        parts = [piece[a:b] for a, b in pairwise(places)]
        self.damaged += len(parts)
        return b"".join(damaged(part, self._rng) if part else b"" for part in parts)

    def _check(self, data: bytes, whole: list[bytes]) -> None:
        self.streams += 1
        self.bytes += len(data)
        try:
            frames, stream = parse(self.nic, data, [])
            if self.streams % COMPARE_EVERY == 0:
                cuts = np.sort(self._rng.integers(0, len(data) + 1, self._rng.integers(1, 40))).tolist()
                same(parse(self.nic, data, cuts), (frames, stream), cuts)
        except FindError as find:
            self._keep(data, str(find))
            return
        self.frames += len(frames)
        self.rejected.update(stream.account.rejected)
        found = Counter(values for _, values, _ in frames)
        self.sound += len(whole)
        self.sound_lost += sum((Counter(whole) - found).values())

    def _keep(self, data: bytes, why: str) -> None:
        path = REGRESSIONS / f"{self.nic.NAME}-{hashlib.sha256(data).hexdigest()[:12]}.bin"
        path.write_bytes(data)
        self.finds.append(f"{path.name}: {why}")
        sys.stderr.write(f"FIND {self.finds[-1]}\n")

    def report(self, seconds: float) -> dict[str, Any]:
        """The figures."""
        return {
            "nic": self.nic.NAME,
            "damaged_records": self.damaged,
            "streams": self.streams,
            "bytes": self.bytes,
            "frames": self.frames,
            "rejected": dict(self.rejected.most_common()),
            "sound_records": self.sound,
            "sound_records_lost": self.sound_lost,
            "finds": self.finds,
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "seconds": round(seconds, 1),
        }


def fuzz(name: str, records: int, captures: Path | None, seed: int) -> dict[str, Any]:
    """Damage and parse at least `records` records of this NIC."""
    nic, started = load(name), time.monotonic()
    fuzzer = Fuzzer(nic, material(nic, captures), seed)
    while fuzzer.damaged < records:
        fuzzer.round()
        if sys.stderr.isatty() and fuzzer.streams % 50 == 0:
            sys.stderr.write(f"\r{name}: {fuzzer.damaged:,} of {records:,} damaged records")
    return fuzzer.report(time.monotonic() - started)


def main() -> int:
    """Fuzz one NIC or all; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--nic", choices=names(), action="append")
    parser.add_argument("--captures", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    captures = options.captures if options.captures and options.captures.is_dir() else None
    results = []
    for name in options.nic or names():
        results.append(fuzz(name, options.records, captures, options.seed))
        if not options.json:
            sys.stdout.write(json.dumps(results[-1], indent=1) + "\n")
    if options.json:
        sys.stdout.write(json.dumps({"results": results}) + "\n")
    return int(any(result["finds"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
