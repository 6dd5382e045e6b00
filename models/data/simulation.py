"""Labelled windows of simulated rooms; a model trained on these alone says so (`trained_on: simulation`)."""

from collections.abc import Sequence

from drivers.simulate.corpus import labelled_blocks
from models.data.registry import Progress, quiet
from models.data.samples import Samples
from models.data.windows import samples_of, windows_of
from models.signal.window import WindowSpec


def load(
    rooms: int,
    seconds: float,
    spec: WindowSpec,
    *,
    seed: int,
    people: Sequence[int] = range(8),
    nic: str = "intel5300",
    inputs: Sequence[str] = (),
    progress: Progress = quiet,
) -> Samples:
    """Windows of `rooms` different simulated rooms, `seconds` with each number of people; room = domain.

    `nic` is the card that listens; the samples say so.
    """
    parts, total = [], rooms * len(people)
    classes = tuple(str(count) for count in range(max(people) + 1))
    for done, (room, count, blocks) in enumerate(labelled_blocks(seed, rooms, seconds, people, nic=nic)):
        progress(f"{room}/{count}p", done / total)
        windows = windows_of(blocks, spec)
        origin = int(blocks[0].table["capture_ns"][0])
        parts.append(
            samples_of(
                windows,
                task="counting",
                domain=room,
                session=f"{room}/{count}p",
                label=count,
                classes=classes,
                spec=spec,
                origin_ns=origin,
                inputs=inputs,
            )
        )
    return Samples.join(parts)
