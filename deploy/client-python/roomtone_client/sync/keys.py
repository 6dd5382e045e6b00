"""API keys, for threads."""

from roomtone_client import api
from roomtone_client.documents import Key, NewKey, Role
from roomtone_client.sync.base import Caller


class KeyCalls(Caller):
    """API keys."""

    def keys(self) -> list[Key]:
        """All keys, without their secrets."""
        return (self._do(api.keys())).items

    def create_key(
        self, role: Role, *, room: str | None = None, name: str = "", expires_in_s: int | None = None
    ) -> NewKey:
        """Make a key; it is told this once."""
        return self._do(api.create_key(role, room, name, expires_in_s))

    def revoke_key(self, key: str) -> None:
        """End a key at once."""
        self._do(api.revoke_key(key))
