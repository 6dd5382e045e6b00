"""Free text in a cell: never run as a formula, and read back as it was.

A spreadsheet runs what begins with =, +, - or @. What begins a cell there depends on where it splits: at
semicolons or tabs in place of commas, it takes quotes and line breaks inside a text for its own. So an
apostrophe stands before a formula wherever a cell could begin; on reading one is taken off at the same
places. Blanks around a text stand behind an apostrophe, too: those around other cells were left by people and
mean nothing.
"""

import re
from typing import Final

_PLACE: Final = r"(?:\A|(?<=[;\t\r\n\"]))"
_FORMULA: Final = r"(?='*[=+\-@])"
_TO_GUARD: Final = re.compile(_PLACE + _FORMULA)
_GUARDED: Final = re.compile(_PLACE + "'" + _FORMULA)


def guarded(text: str) -> str:
    """The text as a cell holds it."""
    safe = _TO_GUARD.sub("'", text)
    return f"'{safe}" if _has_outer_blanks(text) else safe


def unguarded(cell: str) -> str:
    """The text that was guarded; what a person wrote without its outer blanks."""
    inner = cell[1:] if cell.startswith("'") and _has_outer_blanks(cell) else cell.strip()
    return _GUARDED.sub("", inner)


def _has_outer_blanks(text: str) -> bool:
    """Beneath apostrophes: with them in front it would read like a text that is guarded already."""
    bare = text.lstrip("'")
    return bare != bare.strip()
