"""How long the site keeps what it stores."""

from typing import Annotated

from pydantic import Field

from service.section import Section


class RetentionSettings(Section):
    """What is not a room's own: predictions and cleared alerts go by the `retention_days` of their room.

    `samples_days` None keeps labelled samples until somebody erases them.
    """

    events_days: Annotated[int, Field(ge=1, le=3650)] = 30
    audit_days: Annotated[int, Field(ge=1, le=36500)] = 365
    samples_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    every_minutes: Annotated[float, Field(gt=0, le=1440)] = 5.0
