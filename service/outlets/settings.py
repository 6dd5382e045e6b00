"""Settings of what leaves the service: one section an outlet, None where the outlet is off."""

from service.section import Section


class OutletSettings(Section):
    """What leaves the service; `allow_non_live` lets simulated and replayed state leave too (DESIGN A6)."""

    allow_non_live: bool = False
