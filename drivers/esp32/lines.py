"""Lines of an ESP32's serial output: rows of CSI, header lines, log text, and what is left of damaged ones.

A line ends with a line feed. A row that lost its end runs into the next one on the same line; each starts
with ``CSI_DATA,``, so only the damaged one is lost.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from drivers.account import Account
from drivers.esp32.columns import ROW, Columns, columns_for, header_in

MAX_LINE = 16 * 1024
"""No row is this long (612 values take 3 kB); so much without a line feed is no line."""
_NO_TEXT = re.compile(rb"[^\t\r\n\x1b -~]")


@dataclass(slots=True)
class Rows:
    """Whole rows of one set of columns, in stream order.

    Attributes:
        columns: theirs.
        numbers: text of the columns in `Columns.numbers`, a tuple a row.
        macs: MAC address of each, as text.
        bodies: what stands between the brackets.
        sizes: bytes that each took, its line end included.
        places: which of all rows of this buffer it is.
    """

    columns: Columns
    numbers: list[tuple[bytes, ...]] = field(default_factory=list)
    macs: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


class Lines:
    """Sorts the lines of a buffer; `walk` fills `rows`, `account`, `consumed` and `columns`.

    Args:
        data: the buffer, which starts at a line.
        final: nothing follows: a last line without its line feed is one.
        columns: those of the last header line before this buffer, None without one.

    Attributes:
        rows: whole rows by their columns; they are not in `account` yet.
        headers: header lines met.
    """

    def __init__(self, data: bytes, *, final: bool, columns: Columns | None) -> None:
        self._data, self._final = data, final
        self.columns = columns
        self.account = Account()
        self.consumed = 0
        self.headers = 0
        self.rows: dict[Columns, Rows] = {}
        self._places = 0

    def walk(self) -> None:
        """Sort every line that is there."""
        for start, end in self._lines():
            if ROW in self._data[start:end]:
                self._row_line(start, end)
            else:
                self._other_line(self._data[start:end])

    def _lines(self) -> Iterator[tuple[int, int]]:
        """Where each line starts and ends, line feed included; lines that are too long are rejected here."""
        data, size = self._data, len(self._data)
        while (at := self.consumed) < size:
            end = data.find(b"\n", at, at + MAX_LINE) + 1
            if not end and size - at >= MAX_LINE:
                self.account.reject("too_long", MAX_LINE)
                self.consumed = at + MAX_LINE
                continue
            if not end and not self._final:
                return
            self.consumed = end or size
            yield at, self.consumed

    def _row_line(self, start: int, end: int) -> None:
        """A line with a row in it, or with several of which all but the last were cut."""
        at = self._data.find(ROW, start, end)
        if at > start:
            self._text(self._data[start:at])
        while at < end:
            following = self._data.find(ROW, at + 1, end)
            stop = end if following < 0 else following
            self._row(self._data[at:stop])
            at = stop

    def _row(self, row: bytes) -> None:
        columns = columns_for(row, self.columns)
        match = columns.pattern.match(row) if columns else None
        if columns is None or match is None:
            self.account.reject("bad_row" if b"]" in row else "truncated", len(row))
            return
        rows = self.rows.get(columns)
        if rows is None:
            rows = self.rows[columns] = Rows(columns)
        *found, body = match.groups()
        mac = found.pop(columns.mac_group)
        rows.numbers.append(tuple(found))
        rows.macs.append(mac)
        rows.bodies.append(body)
        rows.sizes.append(len(row))
        rows.places.append(self._places)
        self._places += 1

    def _other_line(self, line: bytes) -> None:
        columns = header_in(line)
        if columns is not None:
            self.columns = columns
            self.headers += 1
            self.account.container(len(line))
        else:
            self._text(line)

    def _text(self, text: bytes) -> None:
        """What is no row: a blank line, log text, or noise (as of a wrong baud rate)."""
        if not text.strip():
            self.account.skip("empty", len(text))
        elif _NO_TEXT.search(text):
            self.account.reject("not_text", len(text))
        else:
            self.account.skip("non_csi", len(text))
