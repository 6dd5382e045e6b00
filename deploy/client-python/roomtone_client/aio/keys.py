"""API keys, for asyncio."""

from roomtone_client import api
from roomtone_client.aio.base import AsyncCaller
from roomtone_client.documents import Key, NewKey, Role


class AsyncKeyCalls(AsyncCaller):
    """API keys."""

    async def keys(self) -> list[Key]:
        """All keys, without their secrets."""
        return (await self._do(api.keys())).items

    async def create_key(
        self, role: Role, *, room: str | None = None, name: str = "", expires_in_s: int | None = None
    ) -> NewKey:
        """Make a key; it is told this once."""
        return await self._do(api.create_key(role, room, name, expires_in_s))

    async def revoke_key(self, key: str) -> None:
        """End a key at once."""
        await self._do(api.revoke_key(key))
