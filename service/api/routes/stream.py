"""The alert stream."""

from fastapi import APIRouter, WebSocket

from service.api.context import context_of
from service.api.stream.session import StreamSession

router = APIRouter()


@router.websocket("/v1/alerts/stream")
async def alert_stream(socket: WebSocket) -> None:
    """Events as they become durable; `Authenticate` has let the caller in."""
    await StreamSession(socket, context_of(socket), socket.state.principal).run()
