"""Text in a bounded number of bytes.

A collector may split what is longer than it expects, and take the rest for a message of its own: whoever
chooses a long text could then write what nobody sent.
"""

from typing import Final

MARK: Final = " …(cut)"
"""What a text ends with that was longer."""
_MARK_BYTES: Final = len(MARK.encode())


def cut(text: str, max_bytes: int) -> str:
    """The text in at most so many bytes of UTF-8: whole letters, and the mark if some are missing."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - _MARK_BYTES].decode(errors="ignore") + MARK
