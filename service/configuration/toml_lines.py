"""On which line of a TOML file each key stands (TOML 1.0); the values are read by the standard library.

Keys inside of inline tables and lists of several lines stand where their outermost key does.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from service.configuration.fields import Key

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_TABLE: Final = re.compile(rf"\s*\[(\[)?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_TOKEN: Final = re.compile(
    r"""(?s)\"{3}.*?(?<!\\)\"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|[\[\]{}\n]"""
)


def lines_of(text: str) -> dict[Key, int]:
    """Line of every key and table header, counted from 1; `text` is TOML that the parser takes."""
    found: dict[Key, int] = {}
    counts: Counter[Key] = Counter()
    table: Key = ()
    for number, line in _statements(text):
        if header := _TABLE.match(line):
            table = _inside(_parts(header[2]), counts)
            if header[1]:
                table = (*table, counts[table])
                counts[table[:-1]] += 1
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            path = (*table, *_parts(key[1]))
            for length in range(len(table) + 1, len(path) + 1):
                found.setdefault(path[:length], number)
    return found


def _inside(parts: Key, counts: Counter[Key]) -> Key:
    """The path of a header: a part that names a list of tables stands for its newest member."""
    path: Key = ()
    for part in parts[:-1]:
        path = (*path, part)
        if counts[path]:
            path = (*path, counts[path] - 1)
    return (*path, parts[-1])


def _parts(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Beginnings of statements: number and text of each line that does not go on with the one before."""
    lines = text.split("\n")
    depth, number = 0, 1
    yield 1, lines[0]
    for token in _TOKEN.finditer(text):
        what = token[0]
        if what == "\n":
            number += 1
            if depth == 0:
                yield number, lines[number - 1]
        elif what in "[{":
            depth += 1
        elif what in "]}":
            depth -= 1
        else:
            number += what.count("\n")
