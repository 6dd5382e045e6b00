"""The book of alerts: which conditions hold, which alerts are open, and what a new fact or a later hour does.

Pure: facts, hours and rules in, changes out. Unknown is no fact: it neither raises nor clears, it only stops
the wait of a condition that was holding.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from models.prediction import JsonValue
from service.rooms.alerting import steps
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Cause, Data, Fact, Key
from service.rooms.alerting.case import Case
from service.rooms.alerting.cooldowns import Cooldowns
from service.rooms.alerting.rules import LINK, AlertRule, tells
from service.rooms.config import RoomConfig

Rooms = Mapping[str, RoomConfig]
Marks = Mapping[str, tuple[AlertState, int | None]]
"""What people did about alerts, by id: the state, and until when it is snoozed."""


class AlertBook:
    """Conditions that hold and their alerts: one at most for each rule, room and subject.

    Args:
        cases: that the worker before us left, with their alerts.
        lately: alerts whose cooldown may not be over.

    Attributes:
        waits: since when conditions hold whose alert is not raised yet (None: they no longer wait), as far as
            it changed; who writes it down empties it.
    """

    def __init__(self, cases: Iterable[Case] = (), lately: Iterable[Alert] = ()) -> None:
        self.waits: dict[Key, int | None] = {}
        self._cases = {case.key: case for case in cases}
        self._cooldowns = Cooldowns(lately)
        self._rules: dict[str, AlertRule] = {}
        self._rooms: dict[str, RoomConfig] = {}
        self._by_room: dict[tuple[str, str], list[AlertRule]] = {}
        self._counting: dict[str, bool] = {}
        self._last: dict[tuple[str, str, str], Fact] = {}

    def cases(self, kind: str) -> list[Key]:
        """Conditions of a kind of rule that hold, whether their alert is raised yet or not."""
        ids = {rule.id for rule in self._rules.values() if rule.kind == kind}
        return [key for key in self._cases if key.rule in ids]

    def read(self, rules: Iterable[AlertRule], rooms: Rooms, now_ns: int) -> list[AlertChange]:
        """Take rules and rooms as they are now; what follows from what is known already."""
        kept, there = {rule.id: rule for rule in rules if rule.enabled}, dict(rooms)
        if (kept, there) == (self._rules, self._rooms):
            return []
        self._rules, self._rooms = kept, there
        self._last = {
            key: fact
            for key, fact in self._last.items()
            if fact.room in there and tells(there[fact.room], fact.about)
        }
        self._index()
        self._counting = {rule.id: rule.counts_at(now_ns) for rule in kept.values()}
        return [*self._end_over(), *self._judge_again(self._last.values(), now_ns)]

    def judge(self, fact: Fact) -> list[AlertChange]:
        """What a fact does to alerts."""
        self._last[fact.room, fact.about, fact.subject] = fact
        rules = self._by_room.get((fact.room, fact.about), ())
        return [change for rule in rules for change in self._judge(rule, fact)]

    def look(self, now_ns: int) -> list[AlertChange]:
        """What the hour does to alerts: schedules, waits, cooldowns, escalations and snoozes."""
        begun = self._begun(now_ns)
        changes = self._end_over()
        for rule in begun:
            changes += self._begin(rule, now_ns)
        for key, case in list(self._cases.items()):
            changes += self._grow_old(self._rules[key.rule], case, now_ns)
        return changes

    def mark(self, marks: Marks) -> None:
        """Take what people did about alerts."""
        for case in self._cases.values():
            alert = case.alert
            if alert is None or alert.alert_id not in marks:
                continue
            state, until_ns = marks[alert.alert_id]
            snoozed = state is AlertState.SNOOZED
            case.alert = replace(alert, state=state, snoozed_until_ns=until_ns if snoozed else None)

    def forget_room(self, room: str) -> None:
        """Drop what is known of a room that is no more."""
        self._cases = {key: case for key, case in self._cases.items() if key.room != room}
        self._last = {key: fact for key, fact in self._last.items() if key[0] != room}
        self.waits = {key: since for key, since in self.waits.items() if key.room != room}
        self._cooldowns.forget(room)

    def begin_anew(self, room: str, standing: Iterable[Case], now_ns: int) -> list[AlertChange]:
        """A room's history was erased but for these cases: nothing is known of what it shows, nothing waits.

        Links are no history: one that is lost still is.
        """
        waiting = [case.key for case in self._cases.values() if case.key.room == room and case.alert is None]
        waiting += [key for key in self.waits if key.room == room]
        links = [fact for fact in self._last.values() if (fact.room, fact.about) == (room, LINK)]
        self.forget_room(room)
        self.waits |= dict.fromkeys(waiting)
        self._cases |= {case.key: case for case in standing}
        return self._judge_again(links, now_ns)

    def forget_fact(self, room: str, about: str, subject: str) -> None:
        """Drop what was last known of something that left the room."""
        self._last.pop((room, about, subject), None)

    def _index(self) -> None:
        self._by_room = {}
        for room, config in self._rooms.items():
            for rule in self._rules.values():
                if rule.asks(room, config):
                    self._by_room.setdefault((room, rule.about), []).append(rule)

    def _end_over(self) -> list[AlertChange]:
        """End every case that no rule asks for now, whatever is known of it."""
        over = [(case.key, self._over(case)) for case in self._cases.values()]
        return [change for key, cause in over if cause for change in self._end(key, cause, {})]

    def _over(self, case: Case) -> Cause | None:
        """Why a case is over; None while its rule asks for it."""
        rule, config = self._rules.get(case.key.rule), self._rooms.get(case.key.room)
        if rule is None or config is None or not rule.asks(case.key.room, config):
            return Cause.RULE_CHANGED
        if rule.kind != (case.kind or rule.kind):
            return Cause.RULE_CHANGED
        return None if self._counting[rule.id] else Cause.SCHEDULE_OVER

    def _begun(self, now_ns: int) -> list[AlertRule]:
        """Look at the clock: rules whose time begins."""
        before = self._counting
        self._counting = {rule.id: rule.counts_at(now_ns) for rule in self._rules.values()}
        return [rule for rule in self._rules.values() if self._counting[rule.id] and not before[rule.id]]

    def _begin(self, rule: AlertRule, now_ns: int) -> Iterator[AlertChange]:
        for fact in list(self._last.values()):
            if rule in self._by_room.get((fact.room, fact.about), ()):
                yield from self._judge(rule, replace(fact, now_ns=now_ns, resumed=False))

    def _judge_again(self, facts: Iterable[Fact], now_ns: int) -> list[AlertChange]:
        """What is known already, at this moment."""
        now = [replace(fact, now_ns=now_ns, resumed=False) for fact in facts]
        return [change for fact in now for change in self.judge(fact)]

    def _judge(self, rule: AlertRule, fact: Fact) -> Iterator[AlertChange]:
        key = Key(rule.id, fact.room, fact.subject)
        case = self._cases.get(key)
        if fact.value is None:
            if case is not None:
                case.known = False
            return
        counts = rule.counts_at(fact.now_ns)
        if not counts or not rule.holds(fact.value):
            yield from self._end(key, Cause.CONDITION if counts else Cause.SCHEDULE_OVER, fact.data)
            return
        before = case.value if case else fact.value
        if case is None:
            case = self._cases[key] = Case.begun(key, rule.kind, fact)
            self.waits[key] = case.since_ns
        elif case.see(fact):
            self.waits[key] = case.since_ns
        if change := self._settle(rule, case, fact, before):
            yield change

    def _settle(self, rule: AlertRule, case: Case, fact: Fact, before: JsonValue) -> AlertChange | None:
        """The condition holds: raise once it did for long enough, or say what is new."""
        if case.alert is None:
            return self._raise(rule, case, fact.now_ns)
        if change := steps.escalated(rule, case, self._cooldowns, fact.now_ns):
            return change
        if case.alert.state in steps.HEARD:
            if fact.resumed:
                return steps.updated(case, case.alert, Cause.RESUMED)
            if rule.tells_values and before != case.value:
                return steps.updated(case, case.alert, Cause.VALUE)
        return None

    def _grow_old(self, rule: AlertRule, case: Case, now_ns: int) -> list[AlertChange]:
        if case.alert is None:
            if rule.in_host_time and case.known:
                case.at_ns = max(case.at_ns, now_ns)
            change = self._raise(rule, case, now_ns)
        else:
            change = steps.woken(case, now_ns) or steps.escalated(rule, case, self._cooldowns, now_ns)
        return [change] if change else []

    def _raise(self, rule: AlertRule, case: Case, now_ns: int) -> AlertChange | None:
        change = steps.raised(rule, case, self._cooldowns, now_ns)
        if change is not None:
            self.waits[case.key] = None
        return change

    def _end(self, key: Key, cause: Cause, data: Data) -> list[AlertChange]:
        case = self._cases.pop(key, None)
        if case is None:
            return []
        if case.alert is None:
            self.waits[key] = None
        change = steps.ended(case, cause, data)
        return [change] if change else []
