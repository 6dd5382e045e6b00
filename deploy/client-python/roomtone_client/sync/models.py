"""Models of the site, and versions of rooms' own heads, for threads."""

from roomtone_client import api
from roomtone_client.calls import File
from roomtone_client.documents import ModelCard, Rollback, RoomVersion
from roomtone_client.sync.base import Caller


class ModelCalls(Caller):
    """Models of the site, and versions of rooms' own heads."""

    def versions(self, room: str, *, task: str | None = None) -> list[RoomVersion]:
        """Versions of a room's own heads, newest first."""
        return (self._do(api.versions(room, task))).items

    def activate(self, room: str, version: int) -> RoomVersion:
        """Serve this version from the next window on, whatever the gate said of it."""
        return self._do(api.activate(room, version))

    def roll_back(self, room: str, task: str) -> Rollback:
        """Go back to the version before the active one, or to the shipped model."""
        return self._do(api.roll_back(room, task))

    def models(self) -> list[ModelCard]:
        """Cards of the models that this site loads."""
        return (self._do(api.models())).items

    def model(self, name: str) -> ModelCard:
        """One model's card."""
        return self._do(api.model(name))

    def add_model(self, file: File, card: File, *, core: File | None = None) -> ModelCard:
        """Put an own model on the shelf `local`; what it breaks stands in the error's `extra["broken"]`."""
        return self._do(api.add_model(file, card, core))
