"""Link types (tcpdump.org/linktypes.html) whose packets can be read, and where IP starts in them."""

ETHERNET = 1
COOKED = 113
COOKED_2 = 276
RAW = frozenset({12, 14, 101, 228})
"""Raw IP: 101 and 228 by the list, 12 and 14 as BSD and OpenBSD write it."""
