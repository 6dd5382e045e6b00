"""The client for threads."""

from roomtone_client.sync.alerts import AlertCalls
from roomtone_client.sync.keys import KeyCalls
from roomtone_client.sync.learning import LearningCalls
from roomtone_client.sync.models import ModelCalls
from roomtone_client.sync.rooms import RoomCalls
from roomtone_client.sync.stream import StreamCalls


class Client(RoomCalls, AlertCalls, LearningCalls, ModelCalls, KeyCalls, StreamCalls):
    """A service, asked from threads; several may share one.

    Args:
        url: of the service, such as ``https://roomtone.example``.
        key: `rt_…`, made by `roomtone keys create`.
        timeout_s: for one attempt at one request.
        retry: how patient to be; POSTs are done once however often they are sent.
        verify: False takes any certificate; an `SSLContext` that trusts your own authority is the better way.
    """


__all__ = ["Client"]
