"""Errors of the drivers.

    DriverError
    ├── UnknownFormatError      no NIC claims these bytes, or the named NIC does not fit them
    ├── SourceError             a file, socket or device cannot be read
    ├── WireError               a bus message that is not ours or is damaged
    ├── OptionError             what was asked for makes no sense, or not with this NIC
    └── DeliveryError           the service does not take the frames (refused, unreachable, timed out)

Bad *records* inside a good stream never raise: they are counted by reason in an `Account`.
"""


class DriverError(Exception):
    """Base of every error a driver raises on purpose."""


class UnknownFormatError(DriverError, ValueError):
    """The bytes are not CSI of the expected NIC (wrong file, empty file, other card)."""


class SourceError(DriverError, OSError):
    """A capture file, device or socket cannot be opened or read."""


class WireError(DriverError, ValueError):
    """A bus message is damaged, of another schema version, or inconsistent with its header."""


class OptionError(DriverError, ValueError):
    """An option has no such value, or asks for what this NIC does not give."""


class DeliveryError(DriverError, ConnectionError):
    """The service refused the frames, cannot be reached, or did not process them in time."""
