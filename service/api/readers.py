"""Threads for the short reads that most requests wait for: who asks, and how things stand.

So they never wait behind requests that wait for a writer, or read much.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from typing import Final, ParamSpec, TypeVar

AT_ONCE: Final = 4
P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    """The threads, of one process. They end with it, or when nobody holds this any more."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="readers")

    async def run(self, read: Callable[[], T]) -> T:
        """What the read returns; what it logs tells of the request, as elsewhere."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, read)


def by_readers(route: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """A route of the same signature, which must have `context`, that is served by the context's readers."""

    @wraps(route)
    async def serve(*args: P.args, **kwargs: P.kwargs) -> T:
        readers: Readers = kwargs["context"].readers  # type: ignore[attr-defined]  # FastAPI gives it by name
        return await readers.run(partial(route, *args, **kwargs))

    return serve
