"""A window and what is computed from it, each once however many tasks and models ask."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from models.signal.fading import Fading
from models.signal.motion import Motion, motion
from models.signal.variation import Variation, variation
from models.signal.window import Window


class View:
    """Lazy facts of one window."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @cached_property
    def fading(self) -> Mapping[str, Fading]:
        """How the power of every link goes up and down."""
        window = self.window
        return {part.link: Fading(part, window.start_ns, window.end_ns) for part in window.parts}

    def of_link(self, link: str) -> "View":
        """The same window as one of its links sees it alone; what was computed of that link stays."""
        window = self.window
        kept = [number for number, name in enumerate(window.links) if name == link]
        view = View(
            replace(
                window,
                links=(link,),
                nics=tuple(window.nics[number] for number in kept),
                frames=sum(len(window.parts[number].time_ns) for number in kept),
                parts=tuple(window.parts[number] for number in kept),
            )
        )
        view.__dict__["fading"] = {link: self.fading[link]}
        return view

    @cached_property
    def motions(self) -> Mapping[str, Motion]:
        """Motion of every link that has frames close enough together."""
        found = {link: motion(fading) for link, fading in self.fading.items()}
        return {link: one for link, one in found.items() if one is not None}

    @cached_property
    def variation(self) -> Variation:
        """Features of the window."""
        return variation(list(self.fading.values()))
