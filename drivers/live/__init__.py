"""Live sources: transport apart from parsing, one file a transport.

`open_source` opens one by its text, such as ``udp:0.0.0.0:5500``; a `LiveSource` gives the NIC's bytes as a
capture file would hold them, and counts what the transport lost.
"""

from drivers.live.base import LiveSource
from drivers.live.registry import open_source

__all__ = ["LiveSource", "open_source"]
