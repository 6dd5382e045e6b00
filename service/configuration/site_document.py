"""Rooms, links and alert rules of a site as one document, which people keep in files and carry over."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from drivers import registry
from service.rooms.alerting.rules import MOST_RULES, AlertRule
from service.rooms.config import Name, RoomConfig
from service.store.rooms import UNKNOWN_NIC

FORMAT: Final = "roomtone-site/1"


class RoomEntry(RoomConfig):
    """A room; its links stand among the links."""

    room: Name

    @field_validator("links")
    @classmethod
    def _elsewhere(cls, links: list[str]) -> list[str]:
        if links:
            raise ValueError("links are listed under `links`, each with its room")
        return links


class LinkEntry(BaseModel):
    """A link; `room` null: it belongs to none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    link: Name
    room: Name | None = None
    nic: str = UNKNOWN_NIC
    name: Annotated[str, StringConstraints(max_length=200)] = ""

    @field_validator("nic")
    @classmethod
    def _known(cls, nic: str) -> str:
        if nic not in {UNKNOWN_NIC, *registry.names()}:
            raise ValueError(f"no NIC of that name; known: {UNKNOWN_NIC}, {', '.join(registry.names())}")
        return nic


class SiteDocument(BaseModel):
    """What a file holds; parts that are left out say nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["roomtone-site/1"] = FORMAT
    rooms: list[RoomEntry] = []
    links: list[LinkEntry] = []
    alert_rules: Annotated[list[AlertRule], Field(max_length=MOST_RULES)] = []

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for names, what in (
            ([one.room for one in self.rooms], "room"),
            ([one.link for one in self.links], "link"),
            ([one.id for one in self.alert_rules], "alert rule"),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} {twice[0]!r} stands twice")
        return self


def plain(document: SiteDocument) -> dict[str, Any]:
    """The document as JSON and TOML have it, without what is the default."""
    return {
        "format": FORMAT,
        "rooms": [
            {
                "room": one.room,
                **one.model_dump(mode="json", exclude={"links", "room"}, exclude_defaults=True),
            }
            for one in document.rooms
        ],
        "links": [one.model_dump(mode="json", exclude_none=True) for one in document.links],
        "alert_rules": [without_nulls(one.model_dump(mode="json")) for one in document.alert_rules],
    }


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without members that are null, which TOML cannot say and which are the default."""
    if isinstance(value, Mapping):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_nulls(one) for one in value]
    return value
