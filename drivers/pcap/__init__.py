"""Capture files of network packets: classic pcap and pcapng, read piece by piece, and written.

Layouts: pcap-savefile(5) of libpcap; draft-ietf-opsawg-pcapng. What is in the packets is not known here.
"""

from drivers.pcap.container import Container, Interface
from drivers.pcap.packets import Packets
from drivers.pcap.udp import Udp, find_udp
from drivers.pcap.walk import read
from drivers.pcap.write import HEADERS_BYTES, file_header, record, records, udp_packet, with_lengths

__all__ = [
    "HEADERS_BYTES",
    "Container",
    "Interface",
    "Packets",
    "Udp",
    "file_header",
    "find_udp",
    "read",
    "record",
    "records",
    "udp_packet",
    "with_lengths",
]
