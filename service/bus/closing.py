"""What every end of a bus has in common: it is closed when its `with` block ends."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """May stand in a `with` statement, whose end closes it."""

    @abstractmethod
    def close(self) -> None:
        """Leave the bus."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
