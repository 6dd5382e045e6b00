"""A case: the condition of a rule that holds for a subject of a room, with its alert once there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from models.prediction import JsonValue
from service.rooms.alerting.alert import Alert, Fact, Key

LONGEST_BREAK_S: Final = 60.0
"""Time in which nothing was known is left out of what has been waited; after so much the wait begins anew."""


@dataclass(slots=True)
class Case:
    """A condition that holds, as far as is known.

    Attributes:
        kind: of its rule; None of a wait that was taken over.
        since_ns: when it began to, later by the breaks in which nothing was known.
        at_ns: when it was last seen to hold; both in the clock of the rule.
        from_ns: begin of the first window, capture time.
        value: last known; `known`: whether it is known now.
        first: data of the fact that began it; `data`: of the latest.
    """

    key: Key
    since_ns: int
    at_ns: int
    from_ns: int | None = None
    value: JsonValue = None
    known: bool = False
    first: Mapping[str, JsonValue] = field(default_factory=dict)
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    alert: Alert | None = None
    kind: str | None = None

    @classmethod
    def begun(cls, key: Key, kind: str, fact: Fact) -> Self:
        """The case that this fact begins."""
        begun = cls(key, fact.at_ns, fact.at_ns, fact.from_ns, fact.value, True, fact.data, fact.data)
        begun.kind = kind
        return begun

    def see(self, fact: Fact) -> bool:
        """The condition still holds; whether the wait is shorter by a break."""
        step_ns = fact.at_ns - self.at_ns
        anew = step_ns > LONGEST_BREAK_S * 1e9
        moved = (anew or (not self.known and step_ns > 0)) and self.alert is None
        if moved and anew:
            self.since_ns, self.from_ns, self.first = fact.at_ns, fact.from_ns, fact.data
        elif moved:
            self.since_ns += step_ns
        self.at_ns = max(self.at_ns, fact.at_ns)
        self.value, self.known, self.data = fact.value, True, fact.data
        return moved

    def waited_s(self) -> float:
        """How long it has been seen to hold."""
        return (self.at_ns - self.since_ns) / 1e9

    def told(self) -> dict[str, Any]:
        """Data of an event about it: from before it began to now."""
        before = {"before": self.first["before"]} if "before" in self.first else {}
        return {**self.data, **before}
