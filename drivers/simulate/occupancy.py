"""The truth about a scene as it is planned: how many are inside when, what they do and what they carry."""

from itertools import pairwise
from typing import Any

from drivers.simulate.carried import Carried
from drivers.simulate.scene import Scene


def occupancy(scene: Scene) -> list[tuple[float, float, int]]:
    """(from, to, people) of the whole scene, seconds: its schedule and its cast together."""
    end = scene.schedule.seconds
    planned = scene.schedule.intervals()
    stays = [(stay.enter_s, stay.leave_s) for role in scene.cast for stay in role.script.stays()]
    times = {start for start, _, _ in planned} | {at for stay in stays for at in stay}
    edges = [*sorted(at for at in times if at < end), end]
    merged: list[tuple[float, float, int]] = []
    for start, until in pairwise(edges):
        people = sum(count for first, last, count in planned if first <= start < last)
        people += sum(enters <= start < leaves for enters, leaves in stays)
        begins = merged.pop()[0] if merged and merged[-1][2] == people else start
        merged.append((begins, until, people))
    return merged


def cast_labels(scene: Scene) -> dict[str, Any]:
    """What the cast does and carries, as JSON; empty for a scene without either."""
    labels: dict[str, Any] = {}
    if scene.crowd.carried is not None:
        labels["carried"] = _thing(scene.crowd.carried)
    if scene.cast:
        labels["activities"] = [
            {
                "person": role.person,
                "from_s": act.from_s,
                "to_s": min(act.to_s, scene.schedule.seconds),
                "activity": str(act.activity),
                "carried": _thing(role.carried),
            }
            for role in scene.cast
            for act in role.script.merged()
            if act.from_s < scene.schedule.seconds
        ]
        walks = [role for role in scene.cast if len(role.stops) == 2]
        labels["walks"] = [
            {
                "walk": number,
                "from_s": role.script.enter_s,
                "to_s": role.script.leave_s,
                "carried": _thing(role.carried),
            }
            for number, role in enumerate(walks)
        ]
    return labels


def _thing(carried: Carried | None) -> dict[str, Any]:
    """What it is as JSON; material ``none`` for nothing."""
    if carried is None:
        return {"material": "none"}
    return {
        "material": str(carried.material),
        "shape": str(carried.form),
        "width_m": carried.width_m,
        "height_m": carried.height_m,
        "place": carried.place,
    }
