"""The corner cases: which file, what is odd about it, and what a parser should make of it.

Numbers in brackets are rows of the table of disagreements that the project keeps of other parsers.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One capture.

    `right` is the answer in words, `frames` the number of frames in it. `chip` and `bandwidth` are what
    csiread is told. `real`: a capture as it was made, not a mutation of one. `chains_at`: the frame whose
    rows must be receive chains, since its order of antennas is impossible.
    """

    file: str
    nic: str
    odd: str
    right: str
    frames: int
    chip: str = ""
    bandwidth: str = ""
    chains_at: int | None = None

    @property
    def real(self) -> bool:
        """Whether the capture is as a card made it."""
        return not self.file.startswith("corner/")


def _corner(file: str, nic: str, odd: str, right: str, frames: int) -> Case:
    told = ("43455c0", "80") if nic == "nexmon" else ("", "")
    return Case(f"corner/{file}", nic, odd, right, frames, *told)


def _intel(file: str, odd: str, right: str, frames: int) -> Case:
    return Case(f"intel5300/{file}", "intel5300", odd, right, frames)


def _nexmon(file: str, odd: str, right: str, frames: int, chip: str, *, bandwidth: str = "80") -> Case:
    return Case(f"nexmon/{file}", "nexmon", odd, right, frames, chip, bandwidth)


def _esp32(file: str, odd: str) -> Case:
    return Case(f"esp32/{file}", "esp32", odd, "every sound row", ESP32_ROWS[file])


ESP32_ROWS = {
    "csikit_example_100hz_pitraffic.csv": 833,
    "csikit_example_data.csv": 60,
    "csikit_example_fast_100hz_pitraffic.csv": 1089,
    "csikit_example_fast2_100hz_pitraffic.csv": 1599,
    "csiread_example_csi.csv": 13,
}
"""Rows of each capture that hold 128 whole numbers; the tool prints no more, whatever its `len` says."""
CASES = [
    _intel("csidata_walk_post_1597163546.dat", "two receive antennas", "rows are antennas", 793),
    _intel("csidata_brushteeth_1597160009.dat", "ends within a record", "dropped, counted", 416),
    _intel("csiread_sample_0x5_64_3000.dat", "an 802.11 frame beside each record", "skipped, counted", 2998),
    _intel("csikit_los_40.dat", "clock jumps back", "frames kept, flagged", 1119),
    _intel("csidata_hr_csi.dat", "40 MHz channel", "said so", 3),
    _intel("csidata_hr_csi2.dat", "Python source", "refused, with the reason", 0),
    _intel("csidata_hr_92bpm.dat", "empty file", "refused, with the reason", 0),
    _corner("i_all_zero_csi.dat", "intel5300", "a record of zeros", "kept, flagged", 20),
    _corner("i_len_mismatch.dat", "intel5300", "a wrong length field", "that record rejected", 19),
    _corner("i_mixed_nrx.dat", "intel5300", "antennas change", "every frame in its own shape", 40),
    _corner("i_nrx0.dat", "intel5300", "no antenna", "that record rejected", 19),
    Case(
        "corner/i_perm3.dat",
        "intel5300",
        "impossible antenna order",
        "kept in chain order, flagged",
        20,
        chains_at=5,
    ),
    _corner("i_trunc.dat", "intel5300", "ends within a record", "dropped, counted", 19),
    _corner("i_ts_wrap.dat", "intel5300", "clock wraps", "time runs on", 20),
    _corner("i_unknown_code.dat", "intel5300", "an unknown record", "skipped, counted", 20),
    _corner("i_zero_len.dat", "intel5300", "a record of length 0", "skipped, counted", 20),
    Case("atheros/csiread_ath_csi_1.dat", "atheros", "3 x 2 antennas", "receive antenna fastest", 401),
    Case("atheros/sample_bigEndian.dat", "atheros", "big endian, lead byte", "told by the bytes", 16),
    _corner("a_csi0.dat", "atheros", "a record without CSI", "skipped, counted", 20),
    _corner("a_csilen_lie.dat", "atheros", "csi_len says 9000", "that record rejected", 19),
    _corner("a_mixed_bw.dat", "atheros", "56 and 114 tones", "every frame in its own shape", 21),
    _corner("a_tones200.dat", "atheros", "200 tones", "that record rejected", 19),
    _corner("a_trunc.dat", "atheros", "ends within a record", "dropped, counted", 19),
    _nexmon("csiexplorer_open.pcap", "44-byte header", "told by the length", 1000, "43455c0"),
    _nexmon("csikit_example_43455c0.pcap", "padded packets", "the UDP length counts", 566, "43455c0"),
    _nexmon("csidata_walk_1597159475.pcap", "repeated sequence numbers", "all kept", 343, "43455c0"),
    _nexmon("csidata_40mhz_1600085286.pcap", "40 MHz", "128 subcarriers", 81, "43455c0", bandwidth="40"),
    _nexmon("csikit_example_4339.pcap", "3 streams", "a row a packet", 2850, "4339"),
    _nexmon("seemoo_4358_80MHz_example.pcap", "floating point", "exact values", 4, "4358"),
    _nexmon("csikit_example_4366c0.pcap", "floating point", "exact values", 293, "4366c0"),
    _corner("n_bigendian.pcap", "nexmon", "big-endian pcap", "read", 20),
    _corner("n_mixed_bw.pcap", "nexmon", "40 MHz packets among 80 MHz", "every frame in its own shape", 23),
    _corner("n_nano.pcap", "nexmon", "nanosecond pcap", "read, right time", 20),
    _corner("n_noncsi_last.pcap", "nexmon", "ends with another packet", "skipped, counted", 20),
    _corner("n_noncsi_mid.pcap", "nexmon", "another packet among them", "skipped, counted", 20),
    _corner("n_pcapng.pcap", "nexmon", "pcapng named pcap", "read", 20),
    _corner("n_pcapng.pcapng", "nexmon", "pcapng", "read", 20),
    _corner("n_rawip.pcap", "nexmon", "no Ethernet header", "read", 20),
    _corner("n_short_frame.pcap", "nexmon", "a frame too short for UDP", "skipped or rejected", 20),
    _corner("n_trunc.pcap", "nexmon", "ends within a packet", "dropped, counted", 19),
    _corner("n_zero_payload.pcap", "nexmon", "an empty UDP packet", "skipped, counted", 20),
    _esp32("csikit_example_100hz_pitraffic.csv", "one row of 127 values"),
    _esp32("csikit_example_data.csv", "`len` says 384, 128 are printed"),
    _esp32("csikit_example_fast_100hz_pitraffic.csv", "a row whose `len` says 256"),
    _esp32("csikit_example_fast2_100hz_pitraffic.csv", "two rows whose `len` says 256"),
    _esp32("csiread_example_csi.csv", "no header line"),
]
