"""Packed floating point of BCM4358 and BCM4366c0, unpacked exactly and packed again.

A word is ``sign, magnitude`` of the real part, the same of the imaginary part, and an exponent that both
share (two's complement); the value is ``+-magnitude * 2**exponent`` (unpack_float.c of nexmon_csi, where it
is scaled to integers; here nothing is lost, as both parts fit float32).
"""

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import FLOAT_4366, Packing

BATCH = 32768
"""Words worked on at once: the work arrays of this length stay in the second cache."""
_LINE_BYTES = 64
_BIAS, _FRACTION = 127, 23

Words = npt.NDArray[np.uint32]


def _word(value: int) -> npt.NDArray[np.uint32]:
    """A constant for numpy, which takes arrays quicker than numbers."""
    return np.array(value, np.uint32)


def _work_words(count: int) -> Words:
    """Memory that starts with a cache line: numpy's own does not, and every step is a tenth slower there."""
    room = np.empty(4 * count + _LINE_BYTES, np.uint8)
    start = -room.ctypes.data % _LINE_BYTES
    return room[start : start + 4 * count].view(np.uint32)


class _Work:
    """Work memory for `count` words, seen as what the steps make of it.

    The scales lie over the numbers and their signs, which are in their target by then.
    """

    def __init__(self, memory: Words, count: int) -> None:
        self.count = count
        self.halves, self.signs, self.bits = memory[: 3 * count].reshape(3, count)
        self.numbers, self.number_signs = self.halves.view(np.int16), self.signs.view(np.int16)
        self.bits_signed, self.scale = self.bits.view(np.int32), self.bits.view(np.float32)
        self.complex_scale = memory[: 2 * count].view(np.complex64)


class Unpacker:
    """Turns words into float32 pairs, in work memory of its own that is used again.

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
        self._memory = _work_words(3 * BATCH)
        self._work = _Work(self._memory, BATCH)

    def unpack(self, words: Words, out: npt.NDArray[np.complex64]) -> None:
        """Write the complex numbers of at most `BATCH` words to `out`."""
        if self._work.count != len(words):
            self._work = _Work(self._memory, len(words))
        np.copyto(out.view(np.float32), self._numbers(words, self._work))
        np.multiply(out, self._scales(words, self._work), out)

    def _numbers(self, words: Words, work: _Work) -> npt.NDArray[np.int16]:
        """Signed magnitudes ``[2 * word]``, times 2**(15 - bits)."""
        halves, signs = work.halves, work.signs
        np.right_shift(words, self._down, halves)
        np.left_shift(words, self._up, signs)
        if self._masks_up:  # the exponent reaches into the lower half; what lies over the real part does not
            np.bitwise_and(signs, self._high_half, signs)  # reach the imaginary one's magnitude
        else:
            np.bitwise_and(halves, self._low_half, halves)
        np.bitwise_or(halves, signs, halves)
        np.sign(work.numbers, work.number_signs)
        np.bitwise_and(halves, self._magnitudes, halves)
        return np.multiply(work.numbers, work.number_signs, work.numbers)

    def _scales(self, words: Words, work: _Work) -> npt.NDArray[np.complex64]:
        """2**(exponent - 15 + bits), as complex numbers, by which numpy multiplies fastest."""
        np.left_shift(words, self._top, work.bits)
        np.right_shift(work.bits_signed, self._bottom, work.bits_signed)
        np.add(work.bits, self._bias, work.bits)
        np.copyto(work.complex_scale, work.scale)
        return work.complex_scale


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
