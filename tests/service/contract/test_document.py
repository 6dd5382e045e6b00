"""The OpenAPI document is whole: a role, a problem and an example wherever one belongs."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from service.api.auth import OPEN_PATHS, OPEN_PREFIXES, ROLE_MARK
from service.api.documents.examples import EXAMPLES
from service.api.idempotency import HEADER
from service.store.keys import Role
from tests.service.running import Running

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    running = Running(tmp_path_factory.mktemp("document"))
    yield running.app.openapi()
    running.client.close()
    running.store.close()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def body_schemas(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Schemas of JSON that goes in, or comes out where all is well."""
    answers = [one for code, one in operation["responses"].items() if code.startswith("2")]
    bodies = [*answers, operation.get("requestBody", {})]
    kinds = [body.get("content", {}).get("application/json") for body in bodies]
    return [kind["schema"] for kind in kinds if kind]


def test_every_operation_names_its_role_or_is_on_the_open_list(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        is_open = path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)
        assert (ROLE_MARK not in operation) == is_open, (method, path)
        assert is_open or operation[ROLE_MARK] in set(Role), (method, path)
        assert bool(operation["security"]) is not is_open, (method, path)


def test_every_operation_is_described_once(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))


def test_every_refusal_is_a_problem(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        wanted = {"default"} | ({"401", "403", "429"} if ROLE_MARK in operation else set())
        assert wanted <= set(operation["responses"]), (method, path)
        for code in wanted:
            assert list(operation["responses"][code]["content"]) == ["application/problem+json"]


def test_every_post_takes_an_idempotency_key(operations: list[Operation]) -> None:
    posts = [(path, one) for method, path, one in operations if method == "POST"]
    assert len(posts) > 10
    for path, operation in posts:
        names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"]
        # Inference changes nothing.
        assert (HEADER in names) is not path.startswith("/v2/"), path


def test_every_body_has_an_example_that_fits(document: dict[str, Any], operations: list[Operation]) -> None:
    missing = []
    for method, path, operation in operations:
        for schema in body_schemas(operation):
            found = schema["anyOf"][0] if "anyOf" in schema else schema  # a body that may be left out
            if "$ref" in found:
                found = document["components"]["schemas"][found["$ref"].rpartition("/")[2]]
            if found.get("type") == "object" and "properties" not in found:
                continue  # a document of another standard: OpenAPI, AsyncAPI
            if not found.get("examples"):
                missing.append((method, path, schema.get("$ref", found.get("title"))))
    assert not missing, {name for _, _, name in missing}


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(EXAMPLES) <= set(schemas), "an example of nothing"
    for name, schema in schemas.items():
        root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        check = jsonschema_rs.validator_for(
            {**root, "$schema": "https://json-schema.org/draft/2020-12/schema"}
        )
        for example in schema.get("examples", ()):
            assert [str(error) for error in check.iter_errors(example)] == [], name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in set(references(document)):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        assert found is not None
