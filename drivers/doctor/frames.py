"""What the frames themselves say about the link: the part of the doctor that needs the parsers."""

from collections.abc import Callable

import numpy as np

from drivers.doctor.host import (
    FAILED,
    LEAST_RATE_HZ,
    NOT_APPLICABLE,
    UNKNOWN,
    WARNING,
    CannotLook,
    Finding,
    ok,
)
from drivers.doctor.reasons import BETTER_LINK, NO_BYTES, NO_CSI, NOT_RECORDS, advice
from drivers.doctor.seen import Seen
from drivers.frame import FrameFlag, mac_text
from drivers.loss import estimate

LOWEST_RATE_HZ = 10.0
"""Below one frame in each 100 ms bin, the windows of sensing stay empty."""
BIN_NS = 100_000_000
LEAST_OCCUPANCY = 0.7  # a window with fewer bins that hold a frame is not predicted on
AGC_JUMP_DB = 3
HT_BIT = 0x100  # of Intel's rate_n_flags

Run = Callable[[Seen], Finding]
CHECKS: dict[str, tuple[str, Run]] = {}
"""Id of each check -> at what it looks, and the function that does."""


def check(name: str, looks: str) -> Callable[[Run], Run]:
    """Register a check under its stable id."""

    def register(run: Run) -> Run:
        CHECKS[name] = looks, run
        return run

    return register


def examine(seen: Seen | Finding | None) -> list[dict[str, str]]:
    """Every check's finding; a `Finding` says why nothing could be looked at, None that nothing was named."""
    if isinstance(seen, Finding):
        first, *others = CHECKS
        unknown = Finding(UNKNOWN, "nothing to look at", "it could not be looked at")
        return [seen.document(first), *(unknown.document(name) for name in others)]
    return [_one(run, seen).document(name) for name, (_, run) in CHECKS.items()]


def _one(run: Run, seen: Seen | None) -> Finding:
    if seen is None:
        return Finding(NOT_APPLICABLE, "no source or capture named", "", "name one: --source or --capture")
    try:
        return run(seen)
    except CannotLook as reason:
        return Finding(UNKNOWN, str(reason), "it could not be looked at")


def _need_frames(seen: Seen, least: int = 1) -> None:
    if seen.account.frames < least:
        raise CannotLook(f"{seen.account.frames} frames are too few to tell")


def _share(part: int, of: int) -> str:
    return f"{100 * part / max(of, 1):.1f} %"


def _flagged(seen: Seen, flag: FrameFlag) -> int:
    return int(np.count_nonzero(seen.table()["flags"] & np.uint32(flag)))


@check("frames.source", "the source opens and stays open; who could have sent the bytes")
def _source(seen: Seen) -> Finding:
    if seen.trouble is not None:
        return Finding(FAILED, seen.trouble, "nothing more can be read", "see the checks of the card above")
    if seen.unauthenticated:
        do = "use the forwarder over TLS (roomtone links enroll)"
        return Finding(WARNING, "plain UDP", "anybody in the network could have sent these frames", do)
    return ok("open" if seen.listened_s is not None else "readable")


@check("frames.bytes", "any bytes at all")
def _bytes(seen: Seen) -> Finding:
    if seen.size:
        return ok(f"{seen.size:,} bytes")
    found = "an empty capture" if seen.listened_s is None else f"nothing in {seen.listened_s:.1f} s"
    if seen.ignored:
        found += ", but ignored: " + ", ".join(f"{count:,} x {why}" for why, count in seen.ignored.items())
        return Finding(FAILED, found, "bytes came that are not taken", "list their sender with --allow")
    return Finding(FAILED, found, "the card gives nothing", advice(NO_BYTES, seen.nic.NAME))


@check("frames.records", "the bytes are records of this card")
def _records(seen: Seen) -> Finding:
    if not seen.size:
        raise CannotLook("no bytes")
    account = seen.account
    bad = sum(account.rejected_bytes.values())
    reasons = ", ".join(f"{count:,} x {reason}" for reason, count in account.rejected.most_common(5))
    if not seen.records:
        do = advice(NOT_RECORDS, seen.nic.NAME)
        return Finding(
            FAILED, f"no record in {seen.size:,} bytes: {reasons}", "wrong card or damaged bytes", do
        )
    if bad > 0.01 * seen.size:
        why = f"{_share(bad, seen.size)} of the bytes are damaged"
        return Finding(WARNING, reasons, why, "look for a second reader, a slow line, or a cut transfer")
    return ok(f"{seen.records:,} records" + (f"; {reasons}" if reasons else ""))


@check("frames.chip", "the card's chip is one that is known")
def _chip(seen: Seen) -> Finding:
    count = seen.account.rejected["unsupported_chip"] + seen.account.skipped["unsupported_chip"]
    if count:
        do = "use a listed chip (docs/hardware); decoding by another chip's rules would give garbage"
        return Finding(FAILED, f"{count:,} records of an unknown chip", "its number format is not known", do)
    if not seen.records:
        raise CannotLook("no records")
    return ok("no record of an unknown chip")


@check("frames.csi", "the records hold CSI")
def _csi(seen: Seen) -> Finding:
    if not seen.records:
        raise CannotLook("no records")
    skipped = ", ".join(f"{count:,} x {reason}" for reason, count in seen.account.skipped.most_common(5))
    if seen.account.frames:
        return ok(f"{seen.account.frames:,} frames" + ("" if seen.whole else ", not all of the capture"))
    return Finding(
        FAILED, f"records, but no CSI: {skipped}", "other packets only", advice(NO_CSI, seen.nic.NAME)
    )


def _rate_hz(seen: Seen) -> float:
    _need_frames(seen, 2)
    times = seen.table()["capture_ns"]
    span = int(times.max() - times.min())
    if span > 0:
        return float((len(times) - 1) / (span / 1e9))
    if seen.listened_s:
        return float(len(times) / seen.listened_s)
    raise CannotLook("the card's clock stands still, so a capture tells no rate")


@check("frames.rate", "frames a second")
def _rate(seen: Seen) -> Finding:
    rate = _rate_hz(seen)
    if rate >= LEAST_RATE_HZ:
        return ok(f"{rate:.1f} frames/s")
    status = FAILED if rate < LOWEST_RATE_HZ else WARNING
    return Finding(status, f"{rate:.1f} frames/s", "sensing wants 50 to 100 a second", BETTER_LINK)


@check("frames.regularity", "frames come evenly")
def _regularity(seen: Seen) -> Finding:
    _need_frames(seen, 20)
    times = np.sort(seen.table()["capture_ns"])
    if times[-1] == times[0]:
        raise CannotLook("the card's clock stands still")
    bins = (times - times[0]) // BIN_NS
    occupied = len(np.unique(bins)) / (int(bins[-1]) + 1)
    steps = np.diff(times)
    spread = float(steps.std() / steps.mean())
    found = (
        f"{100 * occupied:.0f} % of 100 ms bins hold a frame; intervals vary by {spread:.1f} of their mean"
    )
    if occupied >= 0.9 and spread <= 2:
        return ok(found)
    why = "traffic in bursts leaves windows empty; under 70 % a window is not predicted on"
    return Finding(FAILED if occupied < LEAST_OCCUPANCY else WARNING, found, why, BETTER_LINK)


@check("frames.gaps", "frames missing, by the card's counter or by even steps")
def _gaps(seen: Seen) -> Finding:
    _need_frames(seen, 20)
    table = seen.table()
    loss = estimate(table["sequence"], table["capture_ns"])
    if loss.missing is None:
        raise CannotLook(f"not known: {loss.why}")
    share = loss.missing / (loss.missing + len(table))
    found = f"{loss.missing:,} frames missing ({100 * share:.1f} %), by {loss.method}"
    if share <= 0.05:
        return ok(found)
    do = "move the antennas, change the channel, raise the reader's priority and net.core.rmem_max"
    status = FAILED if share > 0.3 else WARNING
    return Finding(status, found, "packets were lost on the air or in the kernel", do)


@check("frames.lost", "records lost by the transport")
def _lost(seen: Seen) -> Finding:
    if seen.listened_s is None:
        return Finding(NOT_APPLICABLE, "a capture tells nothing about its transport")
    if not seen.lost:
        return ok("none")
    found = ", ".join(f"{count:,} x {reason}" for reason, count in seen.lost.most_common(5))
    do = "raise net.core.rmem_max and the reader's priority; one reader only"
    return Finding(WARNING, found, "the reader was too slow for its buffer (ENOBUFS)", do)


@check("frames.iq", "order of real and imaginary part")
def _iq(seen: Seen) -> Finding:
    _need_frames(seen)
    if not (count := _flagged(seen, FrameFlag.IQ_SUSPECT)):
        return ok("not in doubt")
    do = "update nexmon_csi, or say --iq-order imag_first once a phase slope has proved it"
    why = "this firmware's era wrote the imaginary part first: the channel may be mirrored"
    return Finding(WARNING, f"in doubt in {_share(count, seen.account.frames)} of the frames", why, do)


@check("frames.antennas", "receive antennas in use")
def _antennas(seen: Seen) -> Finding:
    _need_frames(seen)
    counts = seen.antennas()
    found = ", ".join(f"{antennas} antennas: {n:,} frames" for antennas, n in sorted(counts.items()))
    if max(counts) > 1 or seen.nic.NAME in {"nexmon", "esp32"}:
        return ok(found)
    do = "screw the other antennas on; is a chain switched off (antenna setting of the driver)?"
    return Finding(WARNING, found, "one antenna of three sees far less of the room", do)


@check("frames.agc", "steadiness of the automatic gain")
def _agc(seen: Seen) -> Finding:
    _need_frames(seen, 20)
    gain = seen.table()["agc_db"].astype(np.int64)
    if not gain.any():
        return Finding(NOT_APPLICABLE, "this card tells no gain")
    jumps = int(np.count_nonzero(np.abs(np.diff(gain)) >= AGC_JUMP_DB))
    found = f"{_share(jumps, len(gain) - 1)} of the frames jump by {AGC_JUMP_DB} dB or more"
    if jumps <= 0.05 * len(gain):
        return ok(found)
    do = "fix the sender's power, keep one sender a link; Roomtone removes the level of each packet"
    return Finding(WARNING, found, "amplitudes jump with the gain, whatever happens in the room", do)


@check("frames.clock", "the card's clock runs")
def _clock(seen: Seen) -> Finding:
    _need_frames(seen, 2)
    stuck, resets = _flagged(seen, FrameFlag.CLOCK_STUCK), _flagged(seen, FrameFlag.CLOCK_RESET)
    found = f"stood still {stuck:,} times, jumped back {resets:,} times"
    if 2 * stuck > seen.account.frames:
        do = "the driver has no valid PHY result: load its module again; live frames go by the host's clock"
        return Finding(FAILED, found, "frames carry no time of their own", do)
    if stuck or resets:
        do = "was the module loaded again, or are files joined? Two frames of one time are kept"
        return Finding(WARNING, found, "spans over a jump are not known", do)
    return ok(found)


@check("frames.legacy", "packets at HT rates")
def _legacy(seen: Seen) -> Finding:
    _need_frames(seen)
    rates = seen.table()["rate"]
    if seen.nic.NAME != "intel5300" or not rates.any():
        return Finding(NOT_APPLICABLE, "this card's records do not tell HT from legacy rates")
    count = int(np.count_nonzero(rates & HT_BIT == 0))
    if not count:
        return ok("all at HT rates")
    do = "switch the access point to 802.11n; WEP and TKIP rule HT out"
    return Finding(
        WARNING, f"{_share(count, len(rates))} at legacy rates", "their CSI is not to be trusted", do
    )


@check("frames.values", "frames that measure something")
def _values(seen: Seen) -> Finding:
    _need_frames(seen)
    kinds = (FrameFlag.ALL_ZERO, FrameFlag.PHY_ERROR, FrameFlag.BAD_PERMUTATION, FrameFlag.INCOMPLETE)
    counts = {str(flag.name).lower(): _flagged(seen, flag) for flag in kinds}
    if not any(counts.values()):
        return ok("no frame is all zero, in error or incomplete")
    found = ", ".join(f"{count:,} x {name}" for name, count in counts.items() if count)
    status = FAILED if 2 * max(counts.values()) > seen.account.frames else WARNING
    do = "some are normal on a weak link; many mean a bad antenna, a wrong channel or a wrong driver"
    return Finding(status, found, "these frames measure nothing or not all", do)


@check("frames.transmitters", "one sender")
def _transmitters(seen: Seen) -> Finding:
    _need_frames(seen)
    senders, counts = np.unique(seen.table()["transmitter"], return_counts=True)
    known = [(int(n), mac_text(int(mac))) for mac, n in zip(senders, counts, strict=True) if mac]
    if not known:
        return Finding(NOT_APPLICABLE, "this card's records name no sender")
    found = ", ".join(f"{mac}: {n:,} frames" for n, mac in sorted(known, reverse=True)[:5])
    if len(known) == 1:
        return ok(found)
    do = "choose one with --tx MAC, or leave --tx auto, which follows the busiest"
    return Finding(WARNING, f"{len(known)} senders; {found}", "each sender is a channel of its own", do)
