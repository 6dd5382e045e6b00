"""Where every input byte went: the accounting invariant of a parser."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Account:
    """Bytes and records consumed from a stream, by what became of them.

    Every count is taken where the bytes are consumed, never by subtraction, so that
    ``total_bytes == len(input)`` is a check and not a tautology.
    """

    frames: int = 0
    frame_bytes: int = 0
    container_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_bytes: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_bytes: Counter[str] = field(default_factory=Counter)

    def frame(self, count: int, size: int) -> None:
        """Add `count` frames that took `size` bytes, framing included."""
        self.frames += count
        self.frame_bytes += size

    def container(self, size: int) -> None:
        """Add `size` bytes of a file or container header that belongs to no record."""
        self.container_bytes += size

    def skip(self, reason: str, size: int, count: int = 1) -> None:
        """Add well-formed records that carry no CSI, such as other log records."""
        self.skipped[reason] += count
        self.skipped_bytes[reason] += size

    def reject(self, reason: str, size: int, count: int = 1) -> None:
        """Add damaged or impossible records, or bytes passed over to find the next record."""
        self.rejected[reason] += count
        self.rejected_bytes[reason] += size

    def add(self, other: "Account") -> None:
        """Add everything `other` counted to this account."""
        self.frames += other.frames
        self.frame_bytes += other.frame_bytes
        self.container_bytes += other.container_bytes
        if other.skipped:  # most often there is nothing to add, and adding nothing takes its time
            self.skipped.update(other.skipped)
            self.skipped_bytes.update(other.skipped_bytes)
        if other.rejected:
            self.rejected.update(other.rejected)
            self.rejected_bytes.update(other.rejected_bytes)

    @property
    def total_bytes(self) -> int:
        """All bytes accounted for."""
        return (
            self.frame_bytes
            + self.container_bytes
            + sum(self.skipped_bytes.values())
            + sum(self.rejected_bytes.values())
        )
