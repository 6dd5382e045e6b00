"""State machines of a room's tasks: windows' predictions in, the state that people and outlets see out.

Pure: ``step(memory, observation) -> memory``. Two kinds of state, *ok* and *unknown*:

    unknown --known prediction--> ok         at once, whatever the delays
    ok      --other value-------> ok         when the task's rule agrees (hold, smoothing)
    any     --unknown prediction-> unknown   at once, with the prediction's reason; the value is `last_known`
    any     --no frames, no worker-> unknown `lose`, with that reason
    any     --privacy pause----> paused      `pause`; when it ends, unknown until the next window

What a machine waits for is forgotten with every unknown, so nothing is concluded across a hole.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from service.rooms.config import PresenceDelays, RoomConfig
from service.rooms.memory import Memory, Said, model_document
from service.rooms.observation import Observation
from service.rooms.pause import PAUSED

SMOOTHED_WINDOWS = 5
Rule = Callable[[Memory, Said], Memory]
"""What a task does with a known value; while its state is unknown it shows it at once."""


def step(memory: Memory, observation: Observation, rule: Rule) -> Memory:
    """The memory after one more window. A window no newer than the last changes nothing."""
    if memory.window is not None and observation.to_ns <= memory.window[1]:
        return memory
    prediction = observation.prediction
    seen = msgspec.structs.replace(
        memory,
        window=(observation.from_ns, observation.to_ns),
        observed_ns=observation.observed_ns,
        received_ns=max(observation.received_ns, memory.received_ns or 0),
        source=observation.source.value,
        model=model_document(prediction),
        extras=dict(prediction.extras),
    )
    if prediction.reason is not None:
        return lose(seen, prediction.reason, observation.observed_ns)
    return rule(seen, Said.of(observation))


def lose(memory: Memory, reason: str, now_ns: int) -> Memory:
    """The memory once nothing is known any more, for this reason."""
    since_ns = memory.since_ns if memory.reason == reason else now_ns
    return msgspec.structs.replace(memory, reason=reason, since_ns=since_ns, waiting=None, recent=())


def pause(memory: Memory, now_ns: int) -> Memory:
    """The memory while the room is paused: of what was known nothing is left, but which windows were seen."""
    lost = lose(memory, PAUSED, now_ns)
    return msgspec.structs.replace(lost, shown=None, extras={}, model=None)


def rule_of(task: str, room: RoomConfig) -> Rule:
    """How this task treats a new value in this room."""
    if task == "presence":
        return partial(hold, delays=room.presence)
    if task == "counting":
        return smooth
    return _show


def hold(memory: Memory, said: Said, *, delays: PresenceDelays) -> Memory:
    """Presence changes only after the other value lasted its delay, in capture time, without a break."""
    if not memory.ok or said.value == memory.value:
        return _show(memory, said)
    value, since_ns = memory.waiting or (said.value, said.to_ns)
    if value != said.value:
        value, since_ns = said.value, said.to_ns
    delay_s = delays.on_delay_s if said.value == "occupied" else delays.off_delay_s
    if said.to_ns - since_ns >= round(delay_s * 1e9):
        return _show(memory, said)
    return msgspec.structs.replace(memory, waiting=(value, since_ns))


def smooth(memory: Memory, said: Said) -> Memory:
    """Counting shows the median of the latest windows: one of the predictions made, with its own interval."""
    recent = (*memory.recent, said)[-SMOOTHED_WINDOWS:]
    return msgspec.structs.replace(_show(memory, median(recent)), recent=recent)


def median(said: tuple[Said, ...]) -> Said:
    """The newest of those whose value is the middle one; of two middle ones the lower."""
    middle = sorted(one.value for one in said)[(len(said) - 1) // 2]
    return max((one for one in said if one.value == middle), key=lambda one: one.to_ns)


def _show(memory: Memory, said: Said) -> Memory:
    """The memory with this value shown; `since` moves only when the value does."""
    same = memory.ok and memory.value == said.value
    return msgspec.structs.replace(
        memory,
        reason=None,
        shown=said,
        since_ns=memory.since_ns if same else said.observed_ns,
        waiting=None,
    )


def changed(before: Memory | None, after: Memory) -> bool:
    """Whether people must hear of it: another value, known or not, or unknown for another reason."""
    return before is None or (before.value, before.reason) != (after.value, after.reason)
