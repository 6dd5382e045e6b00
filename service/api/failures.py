"""Whatever a route refuses or the framework finds, as a problem."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from service.api.methods import refuse_method
from service.api.problems import Problem, kind_of_status, problem_response, request_id_of
from service.store.pauses import PausedError
from service.store.standing import RoomGoneError

_TOLD = 50


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Answer every failure in our form; `routes` tell which methods a path takes."""

    async def on_http_error(request: Request, error: Exception) -> Response:
        """Errors that the framework raises."""
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
        if error.status_code == 405:
            return refuse_method(request, routes)
        detail = f"{request.method} {request.url.path[:200]}: {error.detail}"
        problem = Problem(kind_of_status(error.status_code), detail, headers=error.headers or {})
        return problem_response(problem, request_id_of(request.scope))

    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(PausedError, _on_paused)
    app.add_exception_handler(RoomGoneError, _on_room_gone)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, _on_misfit)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type only
    return problem_response(error, request_id_of(request.scope))


async def _on_paused(request: Request, error: Exception) -> Response:
    return problem_response(Problem("room-paused", str(error)), request_id_of(request.scope))


async def _on_room_gone(request: Request, error: Exception) -> Response:
    return problem_response(Problem("room-not-found", str(error)), request_id_of(request.scope))


async def _on_misfit(request: Request, error: Exception) -> Response:
    """What does not fit, without repeating the values: they may be large, or secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    errors = [
        {"loc": list(item["loc"]), "msg": _why(item), "type": item["type"]} for item in error.errors()[:_TOLD]
    ]
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    problem = Problem("validation", f"{where}: {first['msg']}", {"errors": errors})
    return problem_response(problem, request_id_of(request.scope))


def _why(item: Mapping[str, Any]) -> str:
    """What is wrong with a value, in words for who sent it."""
    if item["type"] == "json_invalid" and isinstance(item["loc"][-1], int):
        return f"not JSON: {item['ctx']['error']}, at character {item['loc'][-1]}"
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    return str(item["msg"]).removeprefix("Value error, ")
