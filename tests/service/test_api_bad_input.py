"""Whatever is sent, the answer is a clear 4xx problem, and the service goes on."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from service.store.keys import Role
from tests.service.running import Running

LIMIT = 256 * 1024


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("bad"), max_body_bytes=LIMIT) as running:
        running.put_room("lab", name="Lab")
        yield running
        assert running.client.get("/v1/rooms/lab").json()["name"] == "Lab", "nothing stored was lost"


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/problems/{kind}"
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize(
    "room",
    ["a%20b", "%ff%fe", "..%2f..", "%00", "a" * 65, "-a", "%F0%9F%98%80", "a%0d%0ab", "*", "a;b", "%2e%2e"],
)
def test_odd_room_names(api: Running, room: str) -> None:
    for method, path in (
        ("GET", "state"),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "predictions"),
        ("GET", "quality"),
    ):
        answer = api.client.request(method, f"/v1/rooms/{room}/{path}".rstrip("/"), json={})
        assert answer.status_code in {404, 405, 422}, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"nmae": "typo"}, "body.nmae"),
        ({"name": 5}, "body.name"),
        ({"stale_after_s": "10"}, "body.stale_after_s"),
        ({"stale_after_s": -1}, "body.stale_after_s"),
        ({"retention_days": True}, "body.retention_days"),
        ({"tasks": ["cooking"]}, "body.tasks.0"),
        ({"links": ["a b"]}, "body.links.0"),
        ({"size_m": [1]}, "body.size_m"),
        ({"size_m": [-1, 2]}, "body.size_m.0"),
        ({"presence": {"on_delay_s": None}}, "body.presence.on_delay_s"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
def test_documents_that_do_not_fit(api: Running, body: Any, where: str) -> None:
    document = problem(api.client.put("/v1/rooms/lab", json=body), 422, "validation")
    assert document["detail"].startswith(where)
    assert document["errors"]


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"name": "Lab",}', "body.15: not JSON: "),
        (b'{"sizem": 3}', "body.sizem: there is no such key"),
        (b'{"tasks": ["cooking"]}', "body.tasks.0: no task of that name; there are presence"),
    ],
)
def test_misfits_are_told_in_words_for_who_sent_them(api: Running, content: bytes, told: str) -> None:
    document = problem(api.client.put("/v1/rooms/lab", content=content, headers=JSON), 422, "validation")
    assert document["detail"].startswith(told)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 10_000,
        b'{"tags":' * 5000 + b"1" + b"}" * 5000,
        b'{"size_m": [NaN, 1]}',
        b'{"size_m": [Infinity, 1]}',
        b'{"zones": [{"zone": "z", "outline": [{"x_m": 1e999, "y_m": 0}]}]}',
        b'{"retention_days": ' + b"9" * 5000 + b"}",
        b'{"name": "\\ud800"}',
    ],
    ids=range(13),
)
def test_bodies_that_are_no_json_of_ours(api: Running, content: bytes) -> None:
    answer = api.client.put("/v1/rooms/lab", content=content, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_bodies_of_other_types(api: Running) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"):
        answer = api.client.put("/v1/rooms/lab", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code in {400, 415, 422}, (kind, answer.text)


@pytest.mark.parametrize(
    "query",
    [
        "rooms/lab/predictions?limit=0",
        "rooms/lab/predictions?limit=100000",
        "rooms/lab/predictions?from=yesterday",
        "rooms/lab/predictions?from=2026-01-31T12:00:00",
        "rooms/lab/predictions?to=0001-01-01T00:00:00%2B23:59",
        "rooms/lab/predictions?to=9999-12-31T23:59:59Z",
        "rooms/lab/predictions?task=cooking",
        "rooms/lab/predictions?from=2026-01-31T12:00:01Z&to=2026-01-31T12:00:00Z",
        "state?tasks=presence,cooking",
        "events?types=weather",
        "events?after=-1",
        "events?after=99999999999999999999999",
        "events?after=x",
        "alerts?state=perhaps",
        "links?status=great",
    ],
)
def test_queries_that_do_not_fit(api: Running, query: str) -> None:
    document = problem(api.client.get(f"/v1/{query}"), 422, "validation")
    assert document["errors"][0]["loc"][0] == "query"


def test_times_that_fit(api: Running) -> None:
    for text in ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00+05:30"):
        answer = api.client.get(f"/v1/rooms/lab/predictions?from={text}")
        assert answer.status_code == 200, (text, answer.text)


def test_unknown_methods(api: Running) -> None:
    answer = api.client.request("BREW", "/v1/rooms")
    document = problem(answer, 405, "method-not-allowed")
    assert "BREW" in document["detail"]
    assert answer.headers["allow"]


def test_every_problem_type_has_a_page(api: Running) -> None:
    from service.api.problems import KINDS

    with api.client_of(None) as nobody:
        for kind in KINDS:
            page = nobody.get(f"/problems/{kind}")
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
        problem(nobody.get("/problems/none"), 404, "not-found")


def connection(api: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=30)


def head(api: Running, *lines: str) -> bytes:
    return "\r\n".join(
        [
            "PUT /v1/rooms/lab HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {api.key}",
            "Content-Type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode()


def read_all(raw: socket.socket) -> bytes:
    got = b""
    while more := raw.recv(65536):
        got += more
    return got


def test_announced_large_body_is_refused_before_it_is_read(api: Running) -> None:
    with connection(api) as raw:
        raw.sendall(head(api, f"Content-Length: {100 * 1024 * 1024}"))
        # Not one byte of the body was sent, and yet here is the answer.
        answer = read_all(raw)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "/problems/body-too-large"


def test_hundred_megabytes_in_one_request(api: Running) -> None:
    answer = api.client.put("/v1/rooms/lab", content=b" " * (100 * 1024 * 1024), headers=JSON)
    problem(answer, 413, "body-too-large")


def test_chunked_body_without_end_is_refused(api: Running) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    with connection(api) as raw:
        raw.sendall(head(api, "Transfer-Encoding: chunked"))
        deadline = time.monotonic() + 30
        answer = b""
        raw.setblocking(False)
        while not answer and time.monotonic() < deadline:
            try:
                raw.send(chunk[:1] and chunk)
            except BlockingIOError:
                time.sleep(0.001)
            except ConnectionError:
                break
            try:
                answer = raw.recv(65536)
            except (BlockingIOError, ConnectionError):
                continue
    # A partial send can spoil the framing; either way the body is never taken.
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 ")), answer[:100]


def test_chunked_body_over_the_limit(api: Running) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 16384

    problem(api.client.put("/v1/rooms/lab", content=chunks(), headers=JSON), 413, "body-too-large")


def test_body_at_the_limit_is_taken(api: Running) -> None:
    body = b'{"name": "Lab"}'
    answer = api.client.put("/v1/rooms/lab", content=body.ljust(LIMIT), headers=JSON)
    assert answer.status_code == 200
    assert api.client.put("/v1/rooms/lab", content=body.ljust(LIMIT + 1), headers=JSON).status_code == 413


@pytest.mark.parametrize(
    "path", ["//livez", "/livez/../v1/rooms", "/problems/../v1/rooms", "/static/../v1/rooms"]
)
def test_paths_that_hide_others_are_not_open(api: Running, path: str) -> None:
    with connection(api) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        status = int(read_all(raw).split(b" ")[1])
    assert status in {401, 404}


def test_static_files_stay_in_their_folder(api: Running) -> None:
    for path in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/..%2f..%2fpyproject.toml"):
        with connection(api) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert int(read_all(raw).split(b" ")[1]) == 404, path


def test_unexpected_errors_tell_an_id_and_are_logged_once(
    api: Running, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("service.api.routes.rooms.list_rooms", broken)
    answer = api.client.get("/v1/rooms")
    document = problem(answer, 500, "internal")
    assert "secret" not in answer.text
    output = capfd.readouterr()
    log = output.out + output.err
    assert "the secret of the house" in log
    assert log.count("request_failed") == 1
    assert "Exception in ASGI application" not in log
    assert document["request_id"] in log


def test_busy_store_is_503(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr("service.api.routes.rooms.put_room", busy)
    answer = api.client.put("/v1/rooms/lab", json={"name": "Lab"})
    problem(answer, 503, "store-unavailable")
    assert answer.headers["retry-after"] == "1"


def test_large_answers_are_compressed(api: Running) -> None:
    answer = api.client.get("/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["openapi"].startswith("3.1")


def test_specifications(api: Running) -> None:
    openapi = api.client.get("/v1/openapi.json").json()
    assert "/v1/rooms/{room}/state" in openapi["paths"]
    assert not {"/", "/login", "/session"} & set(openapi["paths"])
    asyncapi = api.client.get("/v1/asyncapi.json").json()
    assert asyncapi["asyncapi"].startswith("3.")
    for operation in asyncapi["operations"].values():
        for reference in [operation["channel"], *operation["messages"]]:
            node: Any = asyncapi
            for part in reference["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            while "$ref" in node:
                name = node["$ref"].rsplit("/", 1)[1]
                node = asyncapi["components"]["messages"][name]
            assert node


def test_answers_fit_their_published_shapes(api: Running) -> None:
    from service.api.documents import access, alerts, events, links, models, rooms, states

    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns(), motion=0.5)
    api.put_predictions("lab", "presence", [100, 101])
    api.append(room="lab", alert_id="a", source="simulated")
    api.put_room("lab", name="Lab", links=["l1"])
    shapes: dict[str, type[BaseModel]] = {
        "rooms": rooms.RoomPage,
        "rooms/lab": rooms.Room,
        "rooms/lab/state": states.StateEnvelope,
        "state": states.StatePage,
        "rooms/lab/predictions": states.PredictionPage,
        "rooms/lab/quality": links.QualityPage,
        "links": links.LinkPage,
        "links/l1": links.Link,
        "events": events.EventLogPage,
        "alerts": alerts.AlertPage,
        "models": models.ModelPage,
        "models/presence-simulation": models.ModelCard,
        "keys": access.KeyPage,
        "audit": access.AuditPage,
    }
    for path, shape in shapes.items():
        content = api.client.get(f"/v1/{path}").json()
        shape.model_validate(content)
        extra = set(content) - set(shape.model_fields) if shape.model_config.get("extra") != "allow" else ()
        assert not extra, (path, extra)


def test_key_documents_are_strict(api: Running) -> None:
    for body in (
        {},
        {"role": "king"},
        {"role": "viewer", "room": "a b"},
        {"role": "viewer", "expires_in_s": 1.5},
    ):
        problem(api.client.post("/v1/keys", json=body), 422, "validation")
    with api.client_of(api.new_key(Role.OPERATOR)) as operator:
        problem(operator.post("/v1/keys", json={"role": "admin"}), 403, "forbidden")


@pytest.mark.parametrize("size", [1000, 30_000, 100_000])
def test_very_long_names_and_queries(api: Running, size: int) -> None:
    for path in (f"/v1/rooms/{'a' * size}", f"/v1/events?types={'a' * size}", f"/{'a/' * (size // 2)}"):
        with connection(api) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode())
            try:
                raw.sendall(f"Authorization: Bearer {api.key}\r\nConnection: close\r\n\r\n".encode())
                status = int(read_all(raw).split(b" ")[1])
            except ConnectionError:  # hung up on, while we were still sending
                status = 400
        assert 400 <= status < 500, (path[:30], status)
    assert api.client.get("/livez").status_code == 200


def test_endless_headers_are_cut_off(api: Running) -> None:
    with connection(api) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(5000):
                raw.sendall(f"X-{number}: {'a' * 200}\r\n".encode())
            raw.sendall(b"\r\n")
            answer = read_all(raw)
        except ConnectionError:
            answer = b""
    assert not answer or int(answer.split(b" ")[1]) in {200, 400, 431}
    assert api.client.get("/livez").status_code == 200


def test_times_in_the_future_are_empty_and_not_an_error(api: Running) -> None:
    for path in ("rooms/lab/predictions", "alerts"):
        answer = api.client.get(f"/v1/{path}?from=2200-01-01T00:00:00Z")
        assert answer.status_code == 200
        assert answer.json()["items"] == []


def test_cursors_are_taken_unchanged_and_by_their_own_list_only(api: Running) -> None:
    api.put_predictions("lab", "counting", list(range(200, 206)))
    path = "/v1/rooms/lab/predictions?limit=2&task=counting"
    cursor = api.client.get(path).json()["next_cursor"]
    assert api.client.get(f"{path}&cursor={cursor}").status_code == 200
    changed = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in (0, 5, 9, 20)]
    for wrong in (*changed, cursor[:-3], f"{cursor}AAAA", "", "null", "%00", "\u00fc" * 20, "a" * 500):
        answer = api.client.get("/v1/rooms/lab/predictions", params={"limit": 2, "cursor": wrong})
        problem(answer, 400, "bad-cursor")
    problem(api.client.get(f"/v1/audit?cursor={cursor}"), 400, "bad-cursor")
    problem(api.client.get(f"/v1/rooms/lab/predictions?limit=2&cursor={cursor}"), 400, "bad-cursor")
    problem(api.client.get(f"{path}&cursor={'a' * 501}"), 422, "validation")


def test_names_in_bodies_lead_nowhere(api: Running) -> None:
    for name in ("../../etc/passwd", "..", ".", "a/b", "a\\b", "\x00", "%2e%2e", "con ", "a" * 65, "-rf"):
        for body in ({"links": [name]}, {"zones": [{"zone": name}]}):
            problem(api.client.put("/v1/rooms/lab", json=body), 422, "validation")
        problem(api.client.post("/v1/keys", json={"role": "viewer", "room": name}), 422, "validation")


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("/v1/alerts?severty=critical", "severty", "it takes "),
        ("/v1/state?rooms=lab&room=lab", "room", "it takes rooms, tasks, zones"),
        ("/v1/keys?role=admin", "role", "it takes none"),
        ("/v1/state?rooms=lab,nowhere", "rooms", "no room 'nowhere'"),
        ("/v1/state?zones=nowhere", "zones", "no zone 'nowhere'"),
        ("/v1/state?tasks=dancing", "tasks", "no task 'dancing'"),
    ],
)
def test_a_slip_in_the_query_is_no_filter_that_is_left_out(
    api: Running, path: str, name: str, said: str
) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", name]
    assert said in answer.json()["detail"]


def test_paths_of_other_protocols_take_what_their_clients_send(api: Running) -> None:
    assert api.client.get("/metrics?format=text").status_code == 200
    assert api.client.get("/v2?probe=1").status_code == 200


def test_a_key_for_a_room_that_is_not_there_is_refused(api: Running) -> None:
    body = {"role": "viewer", "name": "panel", "room": "lba"}
    answer = api.client.post("/v1/keys", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["body", "room"])
    assert "no room 'lba'" in answer.json()["detail"]
    assert api.client.post("/v1/keys", json={**body, "room": "lab"}).status_code == 201
