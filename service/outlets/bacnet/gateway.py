"""The BACnet application: reads and subscriptions are answered, writes refused, subscriptions bounded."""

from typing import Any, Final

from bacpypes3.apdu import WritePropertyMultipleError
from bacpypes3.app import Application
from bacpypes3.basetypes import ErrorType, ObjectPropertyReference
from bacpypes3.errors import ExecutionError, ObjectError, PropertyError

from service.outlets.bacnet.notices import Notices

MAX_SUBSCRIPTIONS: Final = 10_000
"""COV subscriptions of all clients together; a building's panels need a few for each object."""


class Gateway(Application):  # type: ignore[misc]  # the library has no types
    """Answers what controllers ask of the site's objects."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(*arguments, **options)
        self._notices = Notices(self.request)

    async def do_WritePropertyRequest(self, apdu: Any) -> None:  # noqa: N802, ANN401 - the library's
        """Refuse: what was sensed cannot be commanded.

        Raises:
            bacpypes3.errors.ExecutionError: always; unknown-object or write-access-denied.
        """
        if self.get_object_id(apdu.objectIdentifier) is None:
            raise ObjectError(errorCode="unknownObject")
        raise PropertyError(errorCode="writeAccessDenied")

    async def do_WritePropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802, ANN401 - the library's name and type
        """Refuse, naming the first property of the request, in this service's own form of error."""
        first = apdu.listOfWriteAccessSpecs[0]
        failed = ObjectPropertyReference(
            objectIdentifier=first.objectIdentifier,
            propertyIdentifier=first.listOfProperties[0].propertyIdentifier,
        )
        why = ErrorType(errorClass="property", errorCode="writeAccessDenied")
        await self.response(
            WritePropertyMultipleError(errorType=why, firstFailedWriteAttempt=failed, context=apdu)
        )

    async def do_SubscribeCOVRequest(self, apdu: Any) -> None:  # noqa: N802, ANN401 - the library's
        """Subscribe, while there is room; a subscription without a lifetime lasts (ASHRAE 135, 13.14.1.1.4).

        Raises:
            bacpypes3.errors.ExecutionError: there are too many already, or no such object.
        """
        if apdu.issueConfirmedNotifications is not None:
            apdu.lifetime = apdu.lifetime or 0
            if self._subscriptions_but(apdu) >= MAX_SUBSCRIPTIONS:
                raise ExecutionError(errorClass="resources", errorCode="noSpaceToAddListElement")
        await super().do_SubscribeCOVRequest(apdu)

    def cov_notification(self, cov: Any, apdu: Any) -> None:  # noqa: ANN401 - the library's
        """Tell a subscriber, in its turn."""
        self._notices.put(cov, apdu)

    @property
    def is_open(self) -> bool:
        """Whether packets come in; the library opens sockets in the background."""
        return all(layer.server.local_transport is not None for layer in self.link_layers.values())

    @property
    def is_registered(self) -> bool:
        """Whether every BBMD took the registration."""
        return all(layer.bbmdRegistrationStatus == 0 for layer in self.link_layers.values())

    def delete_object(self, obj: Any) -> None:  # noqa: ANN401 - the library's
        """Remove an object and the subscriptions to it."""
        self._unsubscribe(obj.objectIdentifier)
        super().delete_object(obj)

    def close(self) -> None:
        """Close the sockets and forget who subscribed."""
        self._notices.close()
        for identifier in list(self._cov_detections):
            self._unsubscribe(identifier)
        for layer in self.link_layers.values():
            if hasattr(layer, "unregister"):
                layer.unregister()
            for task in layer.server._transport_tasks:  # noqa: SLF001 - it would try to open them for ever
                task.cancel()
        super().close()

    def _subscriptions_but(self, apdu: Any) -> int:  # noqa: ANN401 - the library's
        """How many there are besides the one that this request may renew."""
        found = self._cov_detections.get(apdu.monitoredObjectIdentifier)
        same = (apdu.pduSource, apdu.subscriberProcessIdentifier)
        renewed = any(
            (one.client_addr, one.proc_id) == same for one in (found.cov_subscriptions if found else ())
        )
        return sum(len(one.cov_subscriptions) for one in self._cov_detections.values()) - renewed

    def _unsubscribe(self, identifier: Any) -> None:  # noqa: ANN401 - the library's
        detection = self._cov_detections.get(identifier)
        for subscription in list(detection.cov_subscriptions) if detection else []:
            self.cancel_subscription(subscription)
