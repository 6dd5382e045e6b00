"""Who may call what: every route of the document, with every role and without a key."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.store.keys import Role, list_keys
from tests.service.running import Running, wait_for

ANYWHERE = "0.0.0.0"  # noqa: S104 - the address that must be refused
OPEN = {
    "/livez",
    "/readyz",
    "/v1/openapi.json",
    "/v1/asyncapi.json",
    "/problems/{kind}",
    "/v2/health/live",
    "/v2/health/ready",
}
VALUES = defaultdict(lambda: "none") | {
    "room": "lab",
    "link": "l1",
    "name": "presence-simulation",
    "kind": "validation",
    "version": "1",
    "webhook": "nohook",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("access")) as running:
        running.put_room("lab", name="Lab")
        yield running


def operations(api: Running) -> list[tuple[str, str, str | None]]:
    """Method, path and role of everything the document lists."""
    document = api.client.get("/v1/openapi.json").json()
    return [
        (method.upper(), path, operation.get("x-roomtone-role"))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def call(client: httpx2.Client, method: str, path: str) -> httpx2.Response:
    # This If-Match matches nothing: whoever is let in changes nothing, and is told so with 412 or 404.
    return client.request(method, path.format_map(VALUES), headers={"If-Match": '"none"'}, json={})


def test_only_the_open_list_is_open(api: Running) -> None:
    listed = operations(api)
    assert {path for _, path, role in listed if role is None} == OPEN
    assert len(listed) > 20
    with api.client_of(None) as nobody:
        for method, path, role in listed:
            answer = call(nobody, method, path)
            if role is None:
                assert answer.status_code in {200, 503}, (method, path)
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("held", list(Role))
def test_every_route_with_every_role(api: Running, held: Role) -> None:
    with api.client_of(api.new_key(held)) as client:
        for method, path, role in operations(api):
            if role is None:
                continue
            status = call(client, method, path).status_code
            if held.includes(Role(role)):
                assert status not in {401, 403}, (method, path, status)
                assert status < 500, (method, path, status)
            else:
                assert status == 403, (method, path, status)


def test_paths_nobody_knows_need_a_key_too(api: Running) -> None:
    with api.client_of(None) as nobody:
        for path in ("/v1/secret", "/docs", "/openapi.json", "/metrics/", "/v1/rooms/", "/static"):
            assert nobody.get(path).status_code == 401, path
        assert api.client.get("/v1/secret").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Bearer rt_a_b", "bearer\trt_x", "rt_a_b"])
def test_wrong_authorization_is_401(api: Running, header: str) -> None:
    with api.client_of(None) as nobody:
        answer = nobody.get("/v1/rooms", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthenticated"


def test_key_for_one_room_sees_only_that(api: Running) -> None:
    api.put_room("other")
    hidden = api.append(room="other", alert_id="a1", wake=False)
    shown = api.append(room="lab", alert_id="a2", wake=False)
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as client:
        assert [room["room"] for room in client.get("/v1/rooms").json()["items"]] == ["lab"]
        assert [room["room"] for room in client.get("/v1/state").json()["items"]] == ["lab"]
        numbers = {int(event["sequence"]) for event in client.get("/v1/events").json()["events"]}
        assert shown in numbers
        assert hidden not in numbers
        for path in (
            "/v1/rooms/other",
            "/v1/rooms/other/state",
            "/v1/rooms/nowhere",
            "/v1/events?rooms=other",
        ):
            assert client.get(path).status_code == 403, path
        for path in ("/v1/keys", "/v1/audit", "/metrics"):
            assert client.get(path).status_code == 403, path
        assert client.put("/v1/rooms/other", json={}).status_code == 403
        assert client.put("/v1/rooms/lab", json={"links": ["stolen"]}).status_code == 403
        assert client.put("/v1/links/l1", json={"room": "lab"}).status_code == 403
        assert client.put("/v1/rooms/lab", json={"name": "Lab"}).status_code == 200


def test_revoking_is_effective_at_once(api: Running) -> None:
    made = api.client.post("/v1/keys", json={"role": "viewer", "name": "panel"}).json()
    with api.client_of(made["key"]) as client:
        assert client.get("/v1/rooms").status_code == 200
        assert api.client.delete(f"/v1/keys/{made['id']}").status_code == 204
        assert client.get("/v1/rooms").status_code == 401
    listed = {key["id"]: key for key in api.client.get("/v1/keys").json()["items"]}
    assert listed[made["id"]]["status"] == "revoked"
    assert all("key" not in key and "hash" not in key for key in listed.values())
    actions = [entry["action"] for entry in api.client.get("/v1/audit?limit=5").json()["items"]]
    assert {"key.create", "key.revoke"} <= set(actions)


def test_host_names_of_others_are_refused(api: Running) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example"):
        answer = api.client.get("/livez", headers={"Host": host})
        assert answer.status_code == 421, host
        assert answer.json()["type"] == "/problems/wrong-host"
    for host in ("localhost", f"localhost:{api.port}", "127.0.0.1", "[::1]:8000", "192.0.2.7:80"):
        assert api.client.get("/livez", headers={"Host": host}).status_code == 200, host


def test_pages_of_other_sites_are_refused(api: Running) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", ""):
        answer = api.client.get("/v1/rooms", headers={"Origin": origin})
        assert answer.status_code == 403, origin
    own = {"Origin": f"http://127.0.0.1:{api.port}"}
    answer = api.client.get("/v1/rooms", headers=own)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_session_cookie_works_for_own_pages_only(api: Running) -> None:
    key = api.new_key(Role.VIEWER)
    with api.client_of(None) as browser:
        assert browser.post("/session", json={"key": "rt_no_no"}).status_code == 401
        answer = browser.post("/session", json={"key": key})
        assert answer.status_code == 201
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert key not in cookie
        assert browser.get("/v1/rooms").status_code == 200
        assert browser.put("/v1/rooms/lab", json={}).status_code == 403, "the key's role goes with it"
        assert browser.get("/v1/rooms", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401
        assert browser.get("/v1/rooms", headers={"Authorization": "Bearer x"}).status_code == 401
        assert browser.delete("/session").status_code == 204
        assert browser.get("/v1/rooms").status_code == 401


def test_session_ends_when_its_key_is_revoked(api: Running) -> None:
    made = api.client.post("/v1/keys", json={"role": "viewer"}).json()
    with api.client_of(None) as browser:
        browser.post("/session", json={"key": made["key"]})
        assert browser.get("/v1/rooms").status_code == 200
        api.client.delete(f"/v1/keys/{made['id']}")
        assert browser.get("/v1/rooms").status_code == 401


def test_responses_carry_security_headers(api: Running) -> None:
    for path in ("/", "/livez", "/v1/rooms", "/static/app.js", "/problems/internal", "/v1/none"):
        headers = api.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert headers["x-request-id"], path


def test_secrets_are_in_no_listing_and_no_log(api: Running, capfd: pytest.CaptureFixture[str]) -> None:
    ticket = api.client.post("/v1/tickets").json()["ticket"]
    api.client.get(f"/login?token={ticket}")
    api.client.get("/v1/audit")
    wait_for(lambda: list_keys(api.store), "the store")
    output: Any = capfd.readouterr()
    assert ticket not in output.out + output.err
    assert api.key not in output.out + output.err + api.client.get("/v1/audit").text


def test_tls_is_demanded_beyond_loopback(tmp_path: Path) -> None:
    from service.cli.errors import CommandError
    from service.cli.exposure import check_exposure
    from service.settings import ServerSettings

    for host in ("127.0.0.1", "::1", "localhost"):
        check_exposure(ServerSettings(host=host))
    check_exposure(ServerSettings(host=ANYWHERE, trusted_proxy="192.0.2.1"))
    for host in (ANYWHERE, "::", "192.0.2.7", "box.example"):
        with pytest.raises(CommandError, match="--tls-cert"):
            check_exposure(ServerSettings(host=host))
    with pytest.raises(CommandError, match="both"):
        check_exposure(ServerSettings(tls_cert=tmp_path / "c.pem"))


def test_taken_port_is_one_clear_error(api: Running) -> None:
    from service.cli.api import listen
    from service.cli.errors import CommandError

    with pytest.raises(CommandError, match=f"port {api.port}: Address already in use"):
        listen(api.settings.server)
