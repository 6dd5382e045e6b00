"""Packed floating point of BCM4358 and BCM4366c0, unpacked exactly and packed again.

A word is ``sign, magnitude`` of the real part, the same of the imaginary part, and an exponent that both
share (two's complement); the value is ``+-magnitude * 2**exponent`` (unpack_float.c of nexmon_csi, where it
is scaled to integers; here nothing is lost, as both parts fit float32).
"""

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import FLOAT_4366, Packing

_BATCH = 32768
"""Words worked on at once: the work arrays of this length stay in the second cache."""
_BIAS, _FRACTION = 127, 23

Words = npt.NDArray[np.uint32]


def _word(value: int) -> npt.NDArray[np.uint32]:
    """A constant for numpy, which takes arrays quicker than numbers."""
    return np.array(value, np.uint32)


class Unpacker:
    """Turns words into float32 pairs in memory of its own that is used again.

    Sign and magnitude of both parts go to the top of the int16 halves of a word, the real part below, so that
    one step works on two numbers; what other bits come along is masked with the magnitude. Times their sign
    they become float32, and are scaled by a power of two made of the exponent's bits. Every step is exact.
    """

    def __init__(self, packing: Packing) -> None:
        magnitude, exponent = packing.magnitude, packing.exponent
        field = (1 << magnitude) - 1 << 15 - magnitude
        self._down, self._up = _word(exponent + 2 * magnitude - 14), _word(31 - exponent - magnitude)
        self._low_half, self._magnitudes = _word(0xFFFF), _word(field << 16 | field)
        self._high_half, self._masks_up = _word(0xFFFF0000), 31 - exponent - magnitude < 16
        self._top, self._bottom = _word(32 - exponent), np.array(32 - exponent - _FRACTION, np.int32)
        self._bias = _word(_BIAS - 15 + magnitude << _FRACTION)
        self._halves, self._signs, self._scale = (np.empty(_BATCH, np.uint32) for _ in range(3))
        self._pairs, self._complex_scale = (np.empty(_BATCH, np.complex64) for _ in range(2))

    def unpack(self, words: Words, out: npt.NDArray[np.float32]) -> None:
        """Write ``[word, 2]``, real and imaginary, to `out`, which is contiguous."""
        for start in range(0, len(words), _BATCH):
            some, target = words[start : start + _BATCH], out[start : start + _BATCH]
            pairs = self._pairs[: len(some)]
            np.copyto(pairs.view(np.float32), self._numbers(some))
            np.multiply(pairs, self._scales(some), out=target.view(np.complex64)[:, 0])

    def _numbers(self, words: Words) -> npt.NDArray[np.int16]:
        """Signed magnitudes ``[2 * word]``, times 2**(15 - bits)."""
        halves, signs = self._halves[: len(words)], self._signs[: len(words)]
        np.right_shift(words, self._down, out=halves)
        np.left_shift(words, self._up, out=signs)
        if self._masks_up:  # the exponent reaches into the lower half; what lies over the real part does not
            np.bitwise_and(signs, self._high_half, out=signs)  # reach the imaginary one's magnitude
        else:
            np.bitwise_and(halves, self._low_half, out=halves)
        np.bitwise_or(halves, signs, out=halves)
        numbers = halves.view(np.int16)
        np.sign(numbers, out=signs.view(np.int16))
        np.bitwise_and(halves, self._magnitudes, out=halves)
        return np.multiply(numbers, signs.view(np.int16), out=numbers)

    def _scales(self, words: Words) -> npt.NDArray[np.complex64]:
        """2**(exponent - 15 + bits), as complex numbers, by which numpy multiplies fastest."""
        bits, scale = self._scale[: len(words)], self._complex_scale[: len(words)]
        np.left_shift(words, self._top, out=bits)
        np.right_shift(bits.view(np.int32), self._bottom, out=bits.view(np.int32))
        np.add(bits, self._bias, out=bits)
        np.copyto(scale, bits.view(np.float32))
        return scale


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
    magnitude = np.ldexp(np.abs(values).astype(np.float64), -exponent[..., None].astype(np.int32))
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
