"""The public keys of an identity provider (RFC 7517): fetched, kept, and fetched anew when one is unknown."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

import jwt
import structlog

from service.api.problems import Problem

KEPT_S: Final = 3600.0
AGAIN_S: Final = 10.0
"""Unknown key ids make us ask no more often than this: made-up tokens must not load the provider."""
_TIMEOUT_S = 5.0
_MOST_BYTES = 256 * 1024
_log = structlog.get_logger(__name__)


class KeySet:
    """Keys by their id, from a URL or a file; may be asked from several threads."""

    def __init__(
        self, url: str | None, file: Path | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._file, self._clock = url, file, clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def find(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id; without an id the only key there is. None: there is none.

        Raises:
            Problem: identity-provider-down; no keys could be fetched so far.
        """
        with self._lock:
            now = self._clock()
            wanted = self._pick(kid) is None or now - self._fetched > KEPT_S
            if wanted and now - self._tried >= AGAIN_S:
                self._tried = now
                self._refresh()
            if not self._keys:
                raise Problem(
                    "identity-provider-down",
                    "the provider's keys could not be read; the service's log says why",
                    headers={"Retry-After": f"{AGAIN_S:.0f}"},
                )
            return self._pick(kid)

    def _pick(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _refresh(self) -> None:
        """Fetch; what cannot be had leaves the keys that were there."""
        try:
            found = jwt.PyJWKSet.from_json(self._read().decode())
        except (OSError, ValueError, jwt.PyJWTError) as error:
            _log.error("identity_provider_unreadable", source=self._url or str(self._file), reason=str(error))
            return
        self._keys = {key.key_id: key for key in found.keys if key.public_key_use in {None, "sig"}}
        self._fetched = self._clock()

    def _read(self) -> bytes:
        if self._file is not None:
            return self._file.read_bytes()
        request = urllib.request.Request(str(self._url), headers={"Accept": "application/json"})  # noqa: S310 - the settings allow https and loopback only
        with _opener.open(request, timeout=_TIMEOUT_S) as response:
            content: bytes = response.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES} bytes")
        return content


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead to plain http, where anybody can answer."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_proxies = {name: url for name, url in urllib.request.getproxies().items() if name == "https"}
"""What is plain http stays on this machine: a proxy could answer with keys of its own."""
_opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler(_proxies))
