"""Who can reach the API, and whether keys would travel in clear text."""

import ipaddress
import ssl
from pathlib import Path

from service.cli.errors import CommandError
from service.settings import ServerSettings


def check_exposure(server: ServerSettings) -> None:
    """Refuse to serve keys in clear text to a network.

    Raises:
        CommandError: the host is not loopback, without TLS or a trusted proxy, or TLS cannot work.
    """
    if (server.tls_cert is None) != (server.tls_key is None):
        raise CommandError("TLS needs both --tls-cert and --tls-key")
    for path in (server.tls_cert, server.tls_key):
        if path is not None and not path.is_file():
            raise CommandError(f"TLS file {path} does not exist")
    if server.tls_cert is not None and server.tls_key is not None:
        _check_pair(server.tls_cert, server.tls_key)
    if not (is_loopback(server.host) or server.tls_cert or server.trusted_proxy):
        raise CommandError(
            f"{server.host} can be reached from other machines, and keys would travel in clear text: give "
            "--tls-cert and --tls-key, or set server.trusted_proxy to the proxy that ends TLS in front, "
            "or listen at 127.0.0.1"
        )


def _check_pair(cert: Path, key: Path) -> None:
    """See that both files can be used, before anything starts.

    Raises:
        CommandError: one is no PEM file, may not be read, or belongs to another one.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise CommandError(
            f"TLS cannot be spoken with {cert} and {key}: {reason}; both must be PEM, the key without a "
            "password and that of the certificate"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
