"""The alert stream for asyncio: a generator that reconnects."""

import asyncio
from collections.abc import AsyncIterator
from ssl import SSLCertVerificationError, SSLContext

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from roomtone_client.documents import Event, Snapshot
from roomtone_client.errors import ConnectionFailedError
from roomtone_client.follow import LARGEST_MESSAGE, PING_S, Follower
from roomtone_client.tls import context_of
from roomtone_client.transport import handshake_refusal, stream_headers, stream_url


async def events_of(
    url: str, key: str, verify: SSLContext | bool, follower: Follower
) -> AsyncIterator[Event | Snapshot]:
    """What `follower` is told, over as many connections as it takes."""
    while True:
        try:
            async with _open(url, key, verify) as socket:
                await socket.send(follower.subscribe())
                async for message in socket:
                    found = follower.take(message)
                    if found is not None:
                        yield found
        except ConnectionClosed as error:
            if error.rcvd is not None:
                follower.closed(error.rcvd.code, error.rcvd.reason)
        except InvalidStatus as error:
            answer = error.response
            if answer.status_code < 500 and answer.status_code != 429:
                raise handshake_refusal(answer.status_code, answer.body or b"", answer.headers) from error
            follower.unreachable(error)
        except SSLCertVerificationError as error:
            raise ConnectionFailedError(f"the stream of {url}: {error}") from error
        except (OSError, InvalidHandshake, EOFError) as error:  # or broke off before it stood
            follower.unreachable(error)
        await asyncio.sleep(follower.pause_s())


def _open(url: str, key: str, verify: SSLContext | bool) -> connect:
    return connect(
        stream_url(url),
        additional_headers=stream_headers(key),
        user_agent_header=None,
        ssl=context_of(url, verify),
        max_size=LARGEST_MESSAGE,
        ping_interval=PING_S,
    )
