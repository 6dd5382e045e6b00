"""URLs that an admin writes down: what may stand in them, and which hosts are this machine.

Taken apart (RFC 3986), never compared as text: `http://localhost:x@elsewhere/` leads elsewhere.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_URL: Final = 2000
_MAX_NAME: Final = 253
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
"""Parts of 1 to 63 characters (RFC 1035, 2.3.4); an underscore is in names that containers have."""

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
    _check_host(parts.hostname)
    return parts


def _check_host(host: str) -> None:
    """See that it can be asked for: a resolver takes no other names."""
    named = len(host) <= _MAX_NAME and _NAME.fullmatch(host) is not None
    if not named and as_address(host) is None:
        raise ValueError(
            f"{host[:_MAX_NAME]} is no name of a host: parts of 1 to 63 letters, digits and hyphens, a dot "
            f"between them, {_MAX_NAME} characters in all"
        )


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
