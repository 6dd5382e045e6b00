"""How much of the air steady packets take: duration of a packet and its acknowledgement on the channel.

IEEE 802.11-2016, 20 MHz channels, times in microseconds:

* OFDM (17.4.3): 16 preamble, 4 SIGNAL, then 4 a symbol for 16 service bits, the bytes, 6 tail bits.
* HT mixed format (19.4.3): 20 legacy preamble and SIGNAL, 8 HT-SIG, 4 HT-STF, 4 a stream of HT-LTF (16 for
  three streams), then symbols as before.
* DSSS/CCK (15, 16): 192 long preamble and header, then the bytes.

Then SIFS (16, or 10 and 6 of signal extension; 10 for DSSS) and the acknowledgement of 14 bytes at the
highest basic rate that is no faster (6, 12, 24 Mb/s; 1, 2 Mb/s). Back-off, retries and aggregation are left
out: retries make the true share higher, aggregation lower.
"""

import math

DSSS_MBPS = (1.0, 2.0, 5.5, 11.0)
OFDM_MBPS = (6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 54.0)
ACK_BYTES = 14
MAC_BYTES = 26 + 8 + 4
"""QoS data header, LLC/SNAP and checksum around an IP packet."""
_SYMBOL_US, _SERVICE_AND_TAIL = 4, 22


def frame_us(ip_bytes: int, mbps: float) -> float:
    """Microseconds of the channel that one IP packet takes, acknowledgement included.

    Args:
        ip_bytes: the packet with its IP header.
        mbps: rate of the physical layer; the legacy rates are DSSS or OFDM, all others count as HT (up to
            72.2 with one stream, up to 144.4 with two, else three).
    """
    size = ip_bytes + MAC_BYTES
    if mbps in DSSS_MBPS:
        ack = 2.0 if mbps >= 2 else 1.0
        return 192 + size * 8 / mbps + 10 + 192 + ACK_BYTES * 8 / ack
    preamble = 20 if mbps in OFDM_MBPS else 32 + 4 * _ltfs(mbps)
    return preamble + _symbols_us(size, mbps) + 16 + 20 + _symbols_us(ACK_BYTES, _ack_mbps(mbps))


def is_legacy(mbps: float) -> bool:
    """Whether packets of this rate carry no CSI on cards that measure HT packets only."""
    return mbps in DSSS_MBPS + OFDM_MBPS


def share(ip_bytes: int, rate_hz: float, mbps: float, *, transmissions: int) -> float:
    """Share of the air (1 is all of it) that `rate_hz` packets take, each sent `transmissions` times."""
    return frame_us(ip_bytes, mbps) * rate_hz * transmissions / 1e6


def _ltfs(mbps: float) -> int:
    """HT long training fields: one, two, or four for three streams."""
    return 1 if mbps <= 72.2 else 2 if mbps <= 144.4 else 4


def _ack_mbps(mbps: float) -> float:
    return max(basic for basic in (6.0, 12.0, 24.0) if basic <= max(mbps, 6.0))


def _symbols_us(size: int, mbps: float) -> float:
    return math.ceil((8 * size + _SERVICE_AND_TAIL) / (mbps * _SYMBOL_US)) * _SYMBOL_US
