"""The numbers between the brackets of many rows, read in one vectorised pass.

A row ends with ``[38 96 2 0 27 -6 ...]`` or ``[38,96,2,0,27,-6,...]``: whole numbers of one to three digits,
with a sign, apart by blanks or commas. `int` for each of them would cost more than everything else together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_AHEAD = b"    "
"""Room to look back from the first digit; digits, sign and separator of a number span four bytes and one."""
_ZERO, _MINUS = 48, 45


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of several rows.

    Attributes:
        values: int16, all numbers, row after row.
        first: int64 ``[row]``, where each row's numbers start in `values`.
        count: int64 ``[row]``, how many it has.
        sound: bool ``[row]``, whether it holds nothing but signed bytes, written signed or unsigned.
    """

    values: npt.NDArray[np.int16]
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    sound: npt.NDArray[np.bool_]

    def bytes_of(self, rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int8]:
        """The first `count` numbers of these sound rows, int8 ``[row, number]``; 128..255 are -128..-1."""
        chosen = self.values[self.first[rows][:, None] + np.arange(count)]
        return np.asarray(chosen.astype(np.uint8).view(np.int8), np.int8)


def read_numbers(bodies: Sequence[bytes]) -> Numbers:
    """The numbers of each row's text, which holds digits, ``-``, commas and white space only.

    Args:
        bodies: what stands between the brackets, one a row.
    """
    text = np.frombuffer(_AHEAD + b"\n".join(bodies) + b"\n", np.uint8)
    row_ends = np.cumsum([len(body) + 1 for body in bodies], dtype=np.int64) + len(_AHEAD)
    is_digit = (text - _ZERO) < 10
    last = np.flatnonzero(is_digit[:-1] & ~is_digit[1:])
    values, first_digit, too_long = _values(text, is_digit, last)
    minus = text[first_digit - 1] == _MINUS
    values = np.where(minus, -values, values)
    ends = np.searchsorted(last, row_ends).astype(np.int64)
    first = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    strange = np.concatenate([first_digit[too_long], _stray_signs(text, is_digit)])
    sound = np.ones(len(bodies), np.bool_)
    sound[np.searchsorted(row_ends, strange, side="right")] = False
    return Numbers(values, first, ends - first, sound & _in_range(values, first, ends))


def _values(
    text: npt.NDArray[np.uint8], is_digit: npt.NDArray[np.bool_], last: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Size of each number by the place of its last digit, the place of its first, and which are too long."""
    values = (text[last] - _ZERO).astype(np.int16)
    two = is_digit[last - 1]
    three = two & is_digit[last - 2]
    values += np.where(two, text[last - 1] - _ZERO, 0).astype(np.int16) * np.int16(10)
    values += np.where(three, text[last - 2] - _ZERO, 0).astype(np.int16) * np.int16(100)
    return values, last - two - three, three & is_digit[last - 3]


def _stray_signs(text: npt.NDArray[np.uint8], is_digit: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Places of minus signs that are not those of a number."""
    signs = np.flatnonzero(text == _MINUS)
    before = is_digit[signs - 1] | (text[signs - 1] == _MINUS)
    return np.asarray(signs[before | ~is_digit[signs + 1]], np.int64)


def _in_range(
    values: npt.NDArray[np.int16], first: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether each row's numbers fit -128..127, or 0..255 (some firmware prints the bytes unsigned)."""
    fits = np.ones(len(first), np.bool_)
    some = np.flatnonzero(ends > first)
    if len(some):  # `reduceat` wants rows that are not empty: each one's start ends the one before
        starts = first[some].astype(np.intp)
        low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        fits[some] = (low >= -128) & (high <= np.where(low < 0, 127, 255))
    return fits
