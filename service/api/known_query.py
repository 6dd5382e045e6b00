"""Refuses query parameters that a route does not take: a filter with a slip would be answered without it."""

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from service.api.answers import misfit

_OURS = "/v1/"
"""Paths of other people's protocols take what their clients send."""
_SHOWN = 64


async def known_query(request: Request) -> None:
    """See that the route takes every parameter of the query.

    Raises:
        Problem: validation, with those that it takes.
    """
    if not request.scope["query_string"] or not request.url.path.startswith(_OURS):
        return
    taken = _taken(request.scope["route"])
    for name in request.query_params:
        if name not in taken:
            there = f"it takes {', '.join(taken)}" if taken else "it takes none"
            raise misfit(name[:_SHOWN], f"this route has no such parameter; {there}")


def _taken(route: APIRoute) -> list[str]:
    fields = get_flat_params(route.dependant)
    return sorted(one.alias for one in fields if isinstance(one.field_info, Query))
