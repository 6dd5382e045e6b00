"""The life of one WebSocket of the alert stream: subscribe, catch up, follow, and an end with a reason."""

import asyncio
from typing import Any

import anyio.to_thread
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from service.api.context import Context
from service.api.stream.hub import Client
from service.api.stream.outbox import StreamEnd
from service.api.stream.subscription import BAD_MESSAGE, read_subscribe, refusal
from service.store.alerts import open_alerts
from service.store.eventlog import head, read_events
from service.store.keys import Principal
from service.store.states import select_states
from service.view.cloudevents import sequence_text
from service.view.overlay import told_states

SUBSCRIBE_WITHIN_S = 10.0
OVERFLOW = 4408
_LAST_WORDS_S = 30.0
_PAGE = 500
_MAX_REASON_BYTES = 123  # RFC 6455: a close frame's body is at most 125 bytes, two of them the code


class StreamSession:
    """Serves one client from accept to close."""

    def __init__(self, socket: WebSocket, context: Context, principal: Principal) -> None:
        self._socket = socket
        self._context = context
        self._principal = principal

    async def run(self) -> None:
        """Serve until either side ends it. Always leaves the hub, so that no queue fills for nobody."""
        await self._socket.accept()
        client: Client | None = None
        try:
            client = await self._subscribed()
            await self._serve(client)
        except StreamEnd as end:
            await self._close(end)
        except WebSocketDisconnect:
            return
        finally:
            if client is not None:
                self._context.hub.leave(client)

    async def _subscribed(self) -> Client:
        try:
            async with asyncio.timeout(SUBSCRIBE_WITHIN_S):
                text = await self._receive()
        except TimeoutError:
            raise refusal(
                BAD_MESSAGE, "no-subscribe", f"no subscribe message within {SUBSCRIBE_WITHIN_S:.0f} s"
            ) from None
        return self._context.hub.add(self._principal, read_subscribe(text, self._principal))

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise refusal(BAD_MESSAGE, "bad-subscribe", "messages are JSON text, this one is binary")
        return str(text)

    async def _serve(self, client: Client) -> None:
        """Send and listen at once: a handler that only sends never sees its client leave."""
        tasks = [
            asyncio.create_task(self._pump(client)),
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._patience(client)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        await self._receive()
        raise refusal(BAD_MESSAGE, "already-subscribed", "one subscribe message a connection; open another")

    async def _patience(self, client: Client) -> None:
        """A client that takes nothing cannot even be told why it is closed: wait for it, but not for ever."""
        await client.outbox.ended.wait()
        await asyncio.sleep(_LAST_WORDS_S)

    async def _pump(self, client: Client) -> None:
        await self._catch_up(client)
        try:
            while True:
                await self._socket.send_text(await client.outbox.take())
        except StreamEnd as end:
            if end.code == OVERFLOW:
                self._context.metrics.overflows.inc()
                end.message = {
                    "type": "overflow",
                    "detail": f"{end.reason}; reconnect with `after` set to the last sequence you have",
                }
            raise

    async def _catch_up(self, client: Client) -> None:
        """Send what was missed straight from the store, then join the hub without a hole or an overlap."""
        hub = self._context.hub
        wish = client.subscription
        position = hub.position if wish.after is None else wish.after
        caught_up = wish.after is None
        while not (caught_up and hub.join(client, position)):
            page = await anyio.to_thread.run_sync(
                lambda after: read_events(
                    hub.store, after=after, limit=_PAGE, types=wish.types, rooms=wish.rooms
                ),
                position,
            )
            if not page.complete:
                position = await self._reset(client, position)
                continue
            for event in page.events:
                if wish.fits(event):
                    await self._socket.send_text(hub.encode(event))
            position, caught_up = page.next_after, len(page.events) < _PAGE

    async def _reset(self, client: Client, after: int) -> int:
        """Tell that events are gone for good, and how things stand instead; the number to go on after."""
        snapshot, sequence = await anyio.to_thread.run_sync(self._snapshot, client)
        reason = f"events after {after} are no longer kept" if after < sequence else f"no event {after} yet"
        await self._send({"type": "reset", "sequence": sequence_text(sequence), "reason": reason})
        await self._send({"type": "snapshot", "sequence": sequence_text(sequence), **snapshot})
        return sequence

    def _snapshot(self, client: Client) -> tuple[dict[str, Any], int]:
        rooms, now = client.subscription.rooms, self._context.now()
        with self._context.store.read() as connection:
            sequence = head(connection)
            states = [
                {"room": room.record.room, "sequence": room.sequence, "tasks": told_states(room, now)}
                for room in select_states(connection)
                if rooms is None or room.record.room in rooms
            ]
            alerts = [alert for alert in open_alerts(connection) if rooms is None or alert["room"] in rooms]
        return {"rooms": states, "alerts": alerts}, sequence

    async def _send(self, message: object) -> None:
        await self._socket.send_text(msgspec.json.encode(message).decode())

    async def _close(self, end: StreamEnd) -> None:
        """Say why and close; a peer that takes nothing any more is left to the transport."""
        if self._socket.client_state is not WebSocketState.CONNECTED:
            return
        reason = end.reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                if end.message is not None:
                    await self._send(end.message)
                await self._socket.close(end.code, reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return
