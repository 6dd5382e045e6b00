"""Secrets at rest: sealed under a key that lies beside the store, never in it.

Signing needs the secret itself, so it cannot be kept as a hash. The store holds it encrypted (Fernet:
AES-128-CBC with HMAC-SHA256); the key is a file of its owner's only, so that a copy or a backup of the
database alone does not let anybody sign in our name.
"""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from service.errors import ServiceError


class SealError(ServiceError):
    """A secret cannot be sealed or read."""


class Seal:
    """Seals and opens secrets with the key in this file; it is made when the first secret is sealed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seal(self, secret: str) -> str:
        """The secret as the store may hold it.

        Raises:
            SealError: the key file cannot be made or read.
        """
        self._make()
        return self._key().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret again.

        Raises:
            SealError: the key file is gone, or is another one.
        """
        try:
            return self._key().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealError(
                f"the secret was sealed with another key than {self._path}: restore that file, or delete "
                "the webhook and make it anew"
            ) from None

    def _key(self) -> Fernet:
        try:
            return Fernet(self._path.read_bytes().strip())
        except (OSError, ValueError) as error:
            raise SealError(f"the key file {self._path} of the webhooks cannot be used: {error}") from error

    def _make(self) -> None:
        """Make the key file unless it is there; of several who try at once, one wins."""
        if self._path.exists():
            return
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(Fernet.generate_key())
            os.link(fresh, self._path)
        except FileExistsError:
            pass
        except OSError as error:
            raise SealError(f"cannot make the key file {self._path}: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)
