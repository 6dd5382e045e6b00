"""Packed floating point of BCM4358 and BCM4366c0, unpacked exactly and packed again.

A word is ``sign, magnitude`` of the real part, the same of the imaginary part, and an exponent that both
share (two's complement); the value is ``+-magnitude * 2**exponent`` (unpack_float.c of nexmon_csi, where it
is scaled to integers; here nothing is lost, as both parts fit float32).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import FLOAT_4366, Packing

_BATCH = 8192
"""Words worked on at once: five arrays of this length stay in the cache nearest to the core but one."""
_BIAS, _FRACTION = 127, 23

Words = npt.NDArray[np.uint32]


class Unpacker:
    """Turns words into float32 pairs in memory of its own that is used again.

    With ``p = +-2**(exponent + magnitude bits)``, bits of the magnitude put right below p's exponent give
    ``p * (1 + magnitude / 2**bits)``; taking p away again leaves ``magnitude * 2**exponent``, exactly.
    """

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._scale, self._power, self._value = (np.empty(_BATCH, np.uint32) for _ in range(3))

    def unpack(self, words: Words, out: npt.NDArray[np.float32]) -> None:
        """Write ``[word, 2]``, real and imaginary, to `out`."""
        magnitude, exponent = self._packing.magnitude, self._packing.exponent
        for part in _parts(len(words)):
            some = words[part]
            scale = self._scale[: len(some)]
            self._exponents(some, scale)
            self._component(some, scale, exponent + magnitude + 1, out[part, 0])
            self._component(some, scale, exponent, out[part, 1])

    def _exponents(self, words: Words, scale: Words) -> None:
        """Bits of a float32 2**(exponent + magnitude bits)."""
        np.left_shift(words, np.uint32(32 - self._packing.exponent), out=scale)
        signed = scale.view(np.int32)
        np.right_shift(signed, np.int32(32 - self._packing.exponent - _FRACTION), out=signed)
        np.add(scale, np.uint32((_BIAS + self._packing.magnitude) << _FRACTION), out=scale)

    def _component(self, words: Words, scale: Words, low: int, out: npt.NDArray[np.float32]) -> None:
        """The number whose magnitude starts at bit `low`."""
        bits = self._packing.magnitude
        power, value = self._power[: len(words)], self._value[: len(words)]
        _shift(words, 31 - low - bits, power)
        np.bitwise_and(power, np.uint32(1 << 31), out=power)
        np.bitwise_or(power, scale, out=power)
        _shift(words, _FRACTION - bits - low, value)
        np.bitwise_and(value, np.uint32((1 << bits) - 1 << _FRACTION - bits), out=value)
        np.bitwise_or(value, power, out=value)
        np.subtract(value.view(np.float32), power.view(np.float32), out=out)


def _shift(words: Words, by: int, out: Words) -> None:
    """Shift to the left, or to the right by less than nothing."""
    shift = np.left_shift if by >= 0 else np.right_shift
    shift(words, np.uint32(abs(by)), out=out)


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _BATCH):
        yield slice(start, min(start + _BATCH, count))


def pack(values: npt.NDArray[np.float32], packing: Packing = FLOAT_4366) -> Words:
    """Words of exactly these values ``[..., 2]``.

    Raises:
        ValueError: a value is not finite, or a pair has no common exponent that fits both.
    """
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite: the card cannot report that")
    lowest, most = -(1 << packing.exponent - 1), (1 << packing.exponent - 1) - 1
    whole, exponents = np.frexp(np.abs(values).astype(np.float64))
    mantissas = (whole * 2.0**24).astype(np.int64)  # of float32: 24 bits
    trailing = np.log2(np.maximum(mantissas & -mantissas, 1)).astype(np.int64)
    finest = np.where(mantissas == 0, most, exponents.astype(np.int64) - 24 + trailing)
    exponent = finest.min(axis=-1).clip(lowest, most)
    magnitude = np.ldexp(np.abs(values).astype(np.float64), -exponent[..., None])
    if (magnitude != np.rint(magnitude)).any() or (magnitude >= 1 << packing.magnitude).any():
        raise ValueError(
            f"values need more than {packing.magnitude} bits with a shared exponent in {lowest}..{most}: "
            "the card cannot report them"
        )
    fields = magnitude.astype(np.uint32) | np.signbit(values).astype(np.uint32) << packing.magnitude
    width = packing.magnitude + 1
    low_bits = exponent.astype(np.uint32) & np.uint32((1 << packing.exponent) - 1)
    made = fields[..., 0] << width + packing.exponent | fields[..., 1] << packing.exponent | low_bits
    return np.asarray(made, np.uint32)
