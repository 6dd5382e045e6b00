"""URLs that an admin writes down: what may stand in them, and which hosts are this machine.

Taken apart (RFC 3986), never compared as text: `http://localhost:x@elsewhere/` leads elsewhere.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_URL: Final = 2000

Address = IPv4Address | IPv6Address


def web_url(url: str) -> SplitResult:
    """The parts of an http or https URL that names a host, and nobody who logs in there.

    Raises:
        ValueError: what is wrong with it, and what to do.
    """
    if len(url) > MAX_URL or not (url.isascii() and url.isprintable()) or set(url) & set(' \\"<>'):
        raise ValueError(f"a URL of at most {MAX_URL} printable ASCII characters is needed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("write https://HOST/PATH; a port is a number from 1 to 65535") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("write https://HOST/PATH")
    if parts.username is not None or parts.password is not None or "#" in url or port == 0:
        raise ValueError("no user name, no password, no fragment and no port 0")
    return parts


def is_loopback(host: str | Address) -> bool:
    """Whether what is sent there stays on this machine; of names only `localhost` is sure to."""
    if isinstance(host, str):
        if host == "localhost":
            return True
        literal = as_address(host)
        return literal is not None and is_loopback(literal)
    mapped = host.ipv4_mapped if isinstance(host, IPv6Address) else None
    return (mapped or host).is_loopback


def as_address(host: str) -> Address | None:
    """The address, if the host is one and not a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
