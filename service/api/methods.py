"""Methods a path takes: for 405, whose Allow names them all, and for OPTIONS (RFC 9110, 9.3.7, 15.5.6)."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from service.api.problems import Problem, problem_response, request_id_of


def refuse_method(request: Request, routes: Sequence[BaseRoute]) -> Response:
    """Answer a method that no route of the path takes; OPTIONS is told which are."""
    allow = ", ".join(methods_of(request, routes))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    detail = f"{request.method} {request.url.path[:200]}: this path takes {allow}"
    problem = Problem("method-not-allowed", detail, {"allow": allow.split(", ")}, {"Allow": allow})
    return problem_response(problem, request_id_of(request.scope))


def methods_of(request: Request, routes: Sequence[BaseRoute]) -> list[str]:
    """All methods of all routes that fit the path."""
    found = {"OPTIONS"}
    scope = {**request.scope, "path_params": {}}
    for route in routes:
        if route.matches(scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or {"GET"}  # a mount of files
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)
