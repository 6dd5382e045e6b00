"""A simulation as a capture file: the NIC's own bytes, and labels that say what it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drivers.frame import FrameBlock
from drivers.registry import Nic, load
from drivers.simulate.cards import card_model
from drivers.simulate.occupancy import cast_labels, occupancy
from drivers.simulate.scene import Scene
from drivers.simulate.simulation import Chunk

LABEL_EVERY_S = 0.5


def simulated_nic(name: str) -> Nic:
    """The NIC of that name, if it can be simulated.

    Raises:
        UnknownFormatError: there is no such NIC, or no model of it.
    """
    return load(card_model(name).nic)


def encode_in_order(nic: Nic, blocks: Sequence[FrameBlock]) -> bytes:
    """Records of these frames in the order in which they came, whatever their shapes; no `Nic.opening`."""
    if len(blocks) == 1:
        return nic.encode(blocks[0])
    owner = np.concatenate([np.full(len(block), which) for which, block in enumerate(blocks)])
    row = np.concatenate([np.arange(len(block)) for block in blocks])
    order = np.argsort(np.concatenate([block.index for block in blocks]))
    cuts = np.flatnonzero(np.diff(owner[order])) + 1
    runs = np.split(order, cuts)
    return b"".join(nic.encode(blocks[int(owner[run[0]])].take(row[run])) for run in runs)


@dataclass(slots=True)
class Labels:
    """The truth about a simulated capture, collected chunk by chunk."""

    frames: int = 0
    lost: int = 0
    _positions: list[dict[str, Any]] = field(default_factory=list)
    _next_s: float = 0.0

    def add(self, chunk: Chunk) -> None:
        """Take down what happens in this chunk."""
        heard = sum(map(len, chunk.blocks))
        self.frames += heard
        self.lost += len(chunk.times) - heard
        for row, now in enumerate(chunk.times.tolist()):
            if now >= self._next_s:
                self._next_s += LABEL_EVERY_S
                inside = chunk.positions[row][~np.isnan(chunk.positions[row, :, 0])]
                places = [[round(float(x), 2) for x in place[:2]] for place in inside]
                self._positions.append({"time_s": round(now, 3), "people": places})

    def document(self, scene: Scene) -> dict[str, Any]:
        """Everything as JSON; times count from the first packet, places are x, y in metres."""
        link = scene.link
        return {
            "source": "simulated",
            "note": "Made by the simulator of Roomtone; no measurement of a real room.",
            "nic": scene.nic,
            "seconds": scene.schedule.seconds,
            "rate_hz": scene.traffic.rate_hz,
            "frames": self.frames,
            "lost": self.lost,
            "centre_hz": link.grid.centre_hz,
            "bandwidth_mhz": link.grid.bandwidth_mhz,
            "room_m": list(link.room.size_m),
            "transmitter_m": [list(place) for place in link.transmitter.positions_m],
            "receiver_m": [list(place) for place in link.receiver.positions_m],
            "people": [
                {"from_s": start, "to_s": end, "people": people} for start, end, people in occupancy(scene)
            ],
            **cast_labels(scene),
            "positions": self._positions,
        }
