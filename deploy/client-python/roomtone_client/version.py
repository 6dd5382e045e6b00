"""Version of the client; it speaks to Roomtone's ``/v1``."""

__version__ = "0.1.0"
