"""A message that is short enough keeps all of it, however unequal its parts."""

from service.events import Severity
from service.outlets.syslog.cutting import MARK
from service.outlets.syslog.message import MAX_BYTES, Entry, Header, encode

HEADER = Header(16, "host", 32473, "1")
NAMES = ("id", "sequence", "severity", "room", "webhook")


def message(reason: str, text: str = "t") -> bytes:
    fields = {**dict.fromkeys(NAMES, "x"), "reason": reason}
    return encode(Entry(0, Severity.WARNING, "webhook.disabled", fields, text), HEADER, 1)


def test_a_long_reason_in_a_short_message_is_whole() -> None:
    reason = "no delivery succeeded for 24 hours; last: " + "x" * 1000
    assert f' reason="{reason}"]' in message(reason).decode()


def test_a_value_is_cut_from_the_byte_on_with_which_it_does_not_fit() -> None:
    room = MAX_BYTES - len(message(""))
    assert len(message("r" * room)) == MAX_BYTES
    assert MARK not in message("r" * room).decode()
    assert len(message("r" * (room + 1))) < MAX_BYTES // 2
    assert f'{MARK}"]' in message("r" * (room + 1)).decode()
