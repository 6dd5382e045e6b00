"""The API on PostgreSQL: a text that this database cannot hold is refused clearly, wherever it stands."""

from collections.abc import Iterator

import pytest

from tests.postgres import Server
from tests.service.running import Running


@pytest.fixture(scope="module")
def api(server: Server, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    name = server.database(migrated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOMTONE_STORE__URL", server.url(name))
        running = Running(tmp_path_factory.mktemp("api"))
    with running:
        yield running
    server.drop(name)


@pytest.mark.parametrize(
    "path", ["/v1/jobs/a%00b", "/v1/webhooks/a%00b", "/v1/rooms/a%00b", "/v1/keys/a%00b"]
)
def test_a_text_that_cannot_be_kept_is_refused(api: Running, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert api.client.request(method, path).status_code in {404, 405, 422}
    answer = api.client.post("/v1/keys", json={"role": "viewer", "name": "a\x00b"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
