"""What one closed window tells about one task of a room."""

from dataclasses import dataclass

from drivers.wire import Source
from models.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Observation:
    """A prediction and when it was made.

    Attributes:
        from_ns: start of the window, capture time.
        to_ns: end of the window, capture time; hold and hysteresis count on it.
        observed_ns: host time of the prediction.
        received_ns: host time at which the newest frame behind it arrived; staleness counts from it.
        source: where the frames came from.
        prediction: what the model said.
    """

    from_ns: int
    to_ns: int
    observed_ns: int
    received_ns: int
    source: Source
    prediction: Prediction
