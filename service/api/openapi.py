"""The OpenAPI document: FastAPI's, with our security and our problem documents written in."""

from typing import Any

from fastapi import FastAPI

from service.api.auth import ROLE_MARK
from service.api.documents.health import ProblemDocument
from service.api.problems import MEDIA_TYPE

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Say for every operation which key it takes and how it fails."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemDocument"] = ProblemDocument.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "`rt_<id>_<secret>`"}
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            _complete_operation(operation)
    return document


def _complete_operation(operation: dict[str, Any]) -> None:
    role = operation.get(ROLE_MARK)
    operation["security"] = [{"key": []}] if role else []
    responses = operation["responses"]
    if role:
        responses["401"] = {"description": "A key is needed", **_PROBLEM}
        responses["403"] = {"description": f"Needs the role {role}", **_PROBLEM}
    if "422" in responses:
        responses["422"] = {"description": "A value does not fit", **_PROBLEM}
    responses["default"] = {"description": "Any other problem", **_PROBLEM}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the completed document, built once."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(build())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
