"""The OpenAPI document: FastAPI's, with our security, headers, examples and problem documents written in."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from service.api import documents
from service.api.auth import ROLE_MARK, SECRET_MARK
from service.api.documents.examples import EXAMPLES
from service.api.documents.health import ProblemDocument
from service.api.idempotency import HEADER, covers
from service.api.problems import MEDIA_TYPE

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}}
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key, `rt_<id>_<secret>`."},
    "person": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the site's identity provider, where `auth.oidc` names one.",
    },
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Say for every operation which key it takes, how it fails, and what bodies look like."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, example in {**_told_by(BaseModel), **EXAMPLES}.items():
        if name in schemas:
            schemas[name] = {**schemas[name], "examples": [example]}
            schemas[name].pop("example", None)
    document["paths"] = _hoisted(document["paths"], schemas)
    for schema in schemas.values():
        _show_page(schema, schemas)
    components["securitySchemes"] = _SECURITY
    document["servers"] = [{"url": "/", "description": "This site."}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(method.upper(), path, operation)
    return document


def _told_by(kind: type[BaseModel]) -> dict[str, Any]:
    """Examples that bodies bring themselves; in FastAPI's document they have lost every null."""
    found: dict[str, Any] = {}
    for one in kind.__subclasses__():
        if one.__module__.startswith(documents.__name__):
            extra = one.model_config.get("json_schema_extra")
            brought: dict[str, Any] = extra if isinstance(extra, dict) else {}
            for example in [brought.get("example"), *brought.get("examples", ())][::-1]:
                if example is not None:
                    found[one.__name__] = example
        found |= _told_by(one)
    return found


def _hoisted(node: Any, schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The same, with the definitions of schemas that stand in place among the components."""
    if isinstance(node, list):
        return [_hoisted(one, schemas) for one in node]
    if isinstance(node, str):
        return node.replace("#/$defs/", "#/components/schemas/")
    if not isinstance(node, dict):
        return node
    if "$defs" in node:
        schemas.update(_hoisted(node["$defs"], schemas))
    return {name: _hoisted(one, schemas) for name, one in node.items() if name != "$defs"}


def _show_page(schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """A page's example is made of its items'."""
    fields = schema.get("properties", {})
    if set(fields) != {"items", "next_cursor"} or "$ref" not in fields["items"].get("items", {}):
        return
    item = schemas[fields["items"]["items"]["$ref"].rpartition("/")[2]]
    if "examples" in item:
        schema.setdefault("examples", [{"items": item["examples"][:1], "next_cursor": None}])


def _complete_operation(method: str, path: str, operation: dict[str, Any]) -> None:
    role = operation.get(ROLE_MARK)
    operation["security"] = [{"key": []}, {"person": []}] if role else []
    responses = operation["responses"]
    if role:
        responses["401"] = {"description": "A key is needed", **_PROBLEM}
        responses["403"] = {"description": f"Needs the role {role}", **_PROBLEM}
        responses["429"] = {"description": "Too many requests", "headers": _RETRY_AFTER, **_PROBLEM}
    if "422" in responses:
        responses["422"] = {"description": "A value does not fit", **_PROBLEM}
    if "requestBody" in operation:
        responses["415"] = {"description": "A body of another type", **_PROBLEM}
    if role and covers(method, path):
        _add_idempotency(operation)
    responses["default"] = {"description": "Any other problem", **_PROBLEM}


_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}


def _add_idempotency(operation: dict[str, Any]) -> None:
    """The header, and the refusals that come with it."""
    told = "but a secret is not told again: 409" if operation.get(SECRET_MARK) else "marked as replayed"
    operation.setdefault("parameters", []).append(
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
            "description": f"The same request with this key is done once a day, and answered alike, {told}.",
        }
    )
    responses = operation["responses"]
    responses.setdefault("409", {"description": "In the way of something, or being worked on", **_PROBLEM})
    responses["422"] = {"description": "A value does not fit, or the key stands for another", **_PROBLEM}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the completed document, built once."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(build())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
