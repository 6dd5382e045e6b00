"""Cards that can be simulated: one file each; here is the list.

A card takes the true channel and gives the frames that the real one would report: its subcarriers, its gain
control, its clock and counter, its integers. The physics of the room is the same for all.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from drivers.errors import UnknownFormatError
from drivers.frame import FrameBlock
from drivers.simulate.cards.atheros import Atheros
from drivers.simulate.cards.intel5300 import Intel5300
from drivers.simulate.cards.nexmon import Nexmon
from drivers.simulate.grid import Grid, atheros_grid, intel5300_grid, nexmon_grid
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex


class SimulatedCard(Protocol):
    """A card at work; call `measure` chunk after chunk."""

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """Frames that the card reports for this channel.

        Args:
            channel: complex64 ``[packet, subcarrier, rx, tx]``, path gain in amplitude.
            times: seconds since the start ``[packet]``, not falling.
            heard: which packets reach the log; the others only count, as frames lost on the way do.

        Returns:
            Blocks of one shape each, ordered by their first frame; ``capture_ns`` is the NIC's clock.
        """
        ...


class _Maker(Protocol):
    def __call__(
        self, radio: Radio, grid: Grid, seed: np.random.SeedSequence, *, clock_us: int, count: int
    ) -> SimulatedCard: ...


class _Subcarriers(Protocol):
    def __call__(self, *, centre_hz: float, bandwidth_mhz: int) -> Grid: ...


@dataclass(frozen=True, slots=True)
class CardModel:
    """What there is to know about a card before it is at work.

    Attributes:
        nic: name in the registry of NICs.
        make: the card itself, from imperfections, subcarriers, seed, and where clock and counter stand.
        subcarriers: those it measures, by centre in Hz and bandwidth in MHz; raises ValueError for another.
        bandwidths_mhz: those it has.
        shape: receive antennas and transmit streams, unless the scene says otherwise; at most these.
    """

    nic: str
    make: _Maker
    subcarriers: _Subcarriers
    bandwidths_mhz: tuple[int, ...]
    shape: tuple[int, int]


CARDS = {
    card.nic: card
    for card in (
        CardModel("intel5300", Intel5300, intel5300_grid, (20, 40), (3, 2)),
        CardModel("atheros", Atheros, atheros_grid, (20, 40), (3, 2)),
        CardModel("nexmon", Nexmon, nexmon_grid, (20, 40, 80), (1, 1)),
    )
}
"""Cards that can be simulated, by name of the NIC."""


def card_model(nic: str) -> CardModel:
    """The simulated card of that name.

    Raises:
        UnknownFormatError: there is none; the message lists those there are.
    """
    if nic not in CARDS:
        raise UnknownFormatError(f"{nic} cannot be simulated; there are: {', '.join(CARDS)}")
    return CARDS[nic]
