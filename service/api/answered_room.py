"""Which room an answer is about, where its path does not say: so it is exported and erased with the room."""

import msgspec


class _OfRoom(msgspec.Struct):
    room: str | None = None


class _Told(_OfRoom):
    """An alert, a job, a screening; or what was done about an alert, with the alert in it."""

    alert: _OfRoom | None = None


def room_in(body: bytes | None) -> str | None:
    """The room named in an answer's JSON; None if it names none, or is no such document."""
    try:
        told = msgspec.json.decode(body or b"null", type=_Told)
    except msgspec.MsgspecError:
        return None
    return told.room or (told.alert.room if told.alert else None)
