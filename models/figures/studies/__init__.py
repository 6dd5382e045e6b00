"""Figures of learners that no task of the API asks for: made and judged in simulated rooms alone."""

from models.figures.studies.base import Answer, Study
from models.figures.studies.breathing import breathing
from models.figures.studies.crossing import crossing, entry

SECTION = "Simulation only: crossing, entry, breathing rate"
STUDIES: tuple[Study, ...] = (
    Study(
        "crossing",
        "somebody crosses the link: 24 corridors → 12 others, bins of 40 ms",
        "temporal_unet",
        crossing,
    ),
    Study(
        "entry",
        "somebody came in less than 1.5 s ago: 24 rooms → 12 others, bins of 40 ms",
        "temporal_unet",
        entry,
    ),
    Study(
        "breathing-rate",
        "nobody, slow, normal or fast breath: 24 rooms → 12 others, windows of 30 s",
        "cnn_rnn",
        breathing,
    ),
)
"""They are printed on the page in this order."""

__all__ = ["SECTION", "STUDIES", "Answer", "Study"]
