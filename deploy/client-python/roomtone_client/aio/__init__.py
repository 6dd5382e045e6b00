"""The client for asyncio."""

from roomtone_client.aio.alerts import AsyncAlertCalls
from roomtone_client.aio.keys import AsyncKeyCalls
from roomtone_client.aio.learning import AsyncLearningCalls
from roomtone_client.aio.models import AsyncModelCalls
from roomtone_client.aio.rooms import AsyncRoomCalls
from roomtone_client.aio.stream import AsyncStreamCalls


class AsyncClient(
    AsyncRoomCalls, AsyncAlertCalls, AsyncLearningCalls, AsyncModelCalls, AsyncKeyCalls, AsyncStreamCalls
):
    """A service, asked from asyncio.

    Args:
        url: of the service, such as ``https://roomtone.example``.
        key: `rt_…`, made by `roomtone keys create`.
        timeout_s: for one attempt at one request.
        retry: how patient to be; POSTs are done once however often they are sent.
        verify: False takes any certificate; an `SSLContext` that trusts your own authority is the better way.
    """


__all__ = ["AsyncClient"]
