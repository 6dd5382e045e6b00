"""Words that bodies share."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from service.state import unix_ns

RoleName = Literal["viewer", "operator", "admin"]
SourceName = Literal["live", "replay", "simulated"]
Cursor = str | None


def ignoring(names: Collection[str]) -> BeforeValidator:
    """Leaves out members that only an answer has, so that what GET gave can be changed and PUT back."""

    def kept(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if name not in names}

    return BeforeValidator(kept)


class Body(BaseModel):
    """What a caller sends: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _moment(text: str) -> str:
    if not 0 <= unix_ns(text) <= 2**63 - 1:
        raise ValueError("out of range")
    return text


Moment = Annotated[str, StringConstraints(max_length=64), AfterValidator(_moment)]


Label = Annotated[str, StringConstraints(min_length=1, max_length=64)] | int
