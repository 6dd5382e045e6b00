"""Why an inference request is not answered, in the words and with the status of the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class InferenceRefusal(Exception):  # noqa: N818 - a refusal is most often the caller's
    """What is wrong, where, and what to do; `status` is HTTP's: 400, 404, 500 or 503."""

    status: int
    why: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.why


def bad(why: str) -> InferenceRefusal:
    """The request does not fit the model."""
    return InferenceRefusal(400, why)
