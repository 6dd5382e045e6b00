"""Names of topics. Those of one site never meet those of another that uses the same broker and prefix."""

from dataclasses import dataclass

_COMPANY = "org.roomtone."


def slug(name: str) -> str:
    """The name in letters that Home Assistant's discovery takes; two names never have the same.

    A dot is not allowed there: it becomes ``_d``, and ``_`` becomes ``__``.
    """
    return name.replace("_", "__").replace(".", "_d")


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one site.

    Attributes:
        prefix: of everything but discovery.
        discovery_prefix: where Home Assistant looks for devices.
        site: the random name of the site's store.
    """

    prefix: str
    discovery_prefix: str
    site: str

    @property
    def base(self) -> str:
        """What all topics but those of discovery begin with."""
        return f"{self.prefix}/{self.site}"

    @property
    def status(self) -> str:
        """Whether the outlet runs: ``online`` or ``offline``; the broker says the latter if we cannot."""
        return f"{self.base}/status"

    @property
    def retained(self) -> tuple[str, str]:
        """Filters of everything that may be retained for a room, by this process or one before it."""
        return f"{self.base}/rooms/#", self.announcement("+", "+")

    def task(self, room: str, task: str, leaf: str) -> str:
        """A topic of a task; `leaf` is ``state`` (JSON), ``value`` (plain text) or ``availability``."""
        return f"{self.base}/rooms/{room}/tasks/{task}/{leaf}"

    def link(self, room: str, link: str) -> str:
        """How a link of the room delivers, as JSON."""
        return f"{self.base}/rooms/{room}/links/{link}/state"

    def event(self, kind: str, room: str | None) -> str:
        """Where events of a type go, e.g. ``…/events/alert/raised/lab``; ``-`` where no room is meant."""
        return f"{self.base}/events/{kind.removeprefix(_COMPANY).replace('.', '/')}/{room or '-'}"

    def config(self, platform: str, room: str, entity: str) -> str:
        """Where an entity of a room is announced to Home Assistant."""
        return self.announcement(platform, f"{slug(room)}_-{slug(entity)}")

    def announcement(self, platform: str, name: str) -> str:
        """As `config`, for a name that is made already."""
        return f"{self.discovery_prefix}/{platform}/{self._node}/{name}/config"

    @property
    def _node(self) -> str:
        return f"roomtone-{self.site}"
