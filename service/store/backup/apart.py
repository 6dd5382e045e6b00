"""How far above an archive's numbers a restored store goes on with what others know by number.

Numbers given out after the backup must mean nothing else. Nor must those that an earlier restore of the same
archive gave out, of which an empty machine knows nothing: so the time since the backup counts as well.
"""

from collections.abc import Mapping
from typing import Final

NUMBERS_APART: Final[Mapping[str, int]] = {"events": 1_000_000, "audit": 1_000_000, "bacnet_rooms": 1_000}
"""Tables whose numbers others know, and how far above the archive's they go on at least."""
ROOMS_SPREAD: Final = 10_000
"""BACnet's numbers have 22 bits: with this share of the time there is room for 380 restores, each of a
backup of the one before."""


def apart(table: str, age_ms: int) -> int:
    """How far above the archive's the numbers of this table go on, so many milliseconds after the backup.

    A log may grow by an event a millisecond, and still no two restores give one number twice.
    """
    least = NUMBERS_APART.get(table, 0)
    if table == "bacnet_rooms":
        return least + age_ms // 1000 % ROOMS_SPREAD
    return least + age_ms if least else 0


def revisions_apart(age_ms: int) -> int:
    """The same of BACnet's Database_Revision, which moves with rooms and their names and has 32 bits."""
    return NUMBERS_APART["bacnet_rooms"] + age_ms // 1000
