"""Which samples are one recording: what is held out together, and named together where it looks wrong."""

from collections.abc import Mapping, Sequence

from service.store.samples import Sample

APART_S = 60.0
"""Samples of one label that lie closer than this are one recording, cut in two."""


def recordings(samples: Sequence[Sample]) -> dict[str, str]:
    """Sample -> the first sample of its recording; of a file, what has one label is one recording."""
    found: dict[str, str] = {}
    files: dict[tuple[str, str], str] = {}
    last: dict[str, tuple[int, str]] = {}
    for sample in sorted({one.sample: one for one in samples}.values(), key=lambda one: one.from_ns):
        if "file" in sample.verdict:
            named = str(sample.verdict["file"]["sha256"]), sample.label
            found[sample.sample] = files.setdefault(named, sample.sample)
            continue
        before = last.get(sample.label)
        joined = before is not None and sample.from_ns - before[0] < APART_S * 1e9
        name = before[1] if before is not None and joined else sample.sample
        found[sample.sample] = name
        last[sample.label] = max(sample.to_ns, before[0] if before else 0), name
    return found


def samples_of(names: Sequence[str], found: Mapping[str, str]) -> list[str]:
    """All samples of these recordings, in the order of these."""
    return [sample for name in names for sample, one in found.items() if one == name]
