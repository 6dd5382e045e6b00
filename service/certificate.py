"""A certificate for a listener that its peers know by fingerprint, not by name."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_LIFE = timedelta(days=20 * 365)
"""The fingerprint is what counts: a peer on a host with a wrong clock must not fall silent one day."""


def own_certificate(certificate: Path, key: Path, *, name: str, hosts: Sequence[str] = ()) -> str:
    """Fingerprint (SHA-256, hexadecimal) of the self-signed certificate there; made now if it is not there.

    Both files are readable by their owner only. `hosts` are DNS names for peers that check one, too.

    Raises:
        OSError: the folder cannot be written.
    """
    if not (certificate.is_file() and key.is_file()):
        secret = ec.generate_private_key(ec.SECP256R1())
        _write(key, secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(certificate, _signed(secret, name, hosts).public_bytes(Encoding.PEM))
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()


def _signed(secret: ec.EllipticCurvePrivateKey, name: str, hosts: Sequence[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(secret, SHA256())


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
