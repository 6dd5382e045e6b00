"""How often one may ask, from where, and in which form: 429, CORS, OPTIONS, Accept, request ids."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import APIRouter

from service.access_settings import LimitSettings
from service.api.auth import guarded
from service.api.leaving import leaving
from service.api.limits import Buckets, Limits, address_of
from service.api.problems import Problem
from service.store.keys import Role
from tests.service.running import Running

PANEL = "https://panel.example"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    limits = LimitSettings(requests_per_s=5, failed_logins_per_minute=3, streams=2)
    with Running(tmp_path_factory.mktemp("limits"), limits=limits, cors_origins=[PANEL]) as running:
        yield running


def test_buckets_fill_with_time() -> None:
    now = 0.0
    buckets = Buckets(2.0, 4.0, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0.0] * 4
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0.0, "each has its own"
    now = 0.5
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(0.5)
    now = 1000.0
    assert [buckets.take("a") for _ in range(5)].count(0.0) == 4, "never more than the burst"


def test_buckets_are_bounded_in_number() -> None:
    buckets = Buckets(1.0, 1.0, clock=lambda: 0.0)
    for number in range(30_000):
        buckets.take(str(number))
    assert len(buckets._levels) == 10_000
    assert buckets.take("29999") > 0, "the newest is remembered"


def test_nought_is_no_limit() -> None:
    limits = Limits(
        LimitSettings(requests_per_s=0, address_requests_per_s=0, failed_logins_per_minute=0, streams=0)
    )
    for _ in range(5000):
        limits.ask("a")
        limits.ask_as("b")
        limits.fail("a")
        limits.open_stream()


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8::1:2:3:4", 1), "2001:db8::/64"),
        (("2001:db8::ffff", 1), "2001:db8::/64"),
        (("testclient", 1), "testclient"),
        (None, ""),
    ],
)
def test_one_machine_is_one_address(client: tuple[str, int] | None, address: str) -> None:
    assert address_of(client) == address


def test_a_key_that_asks_too_often_is_told_to_wait(api: Running, capfd: pytest.CaptureFixture[str]) -> None:
    with api.client_of(api.new_key(Role.VIEWER)) as busy:
        statuses = [busy.get("/v1/rooms").status_code for _ in range(40)]
        assert set(statuses) == {200, 429}
        assert statuses[:10] == [200] * 10
        answer = busy.get("/v1/rooms")
    if answer.status_code == 429:
        assert answer.json()["type"] == "/problems/rate-limited"
        assert int(answer.headers["retry-after"]) >= 1
    with api.client_of(api.new_key(Role.VIEWER)) as calm:
        assert calm.get("/v1/rooms").status_code == 200, "others never notice"
    assert capfd.readouterr().err.count("limit_reached") in {1, 2}, "not once a request"


def test_wrong_keys_are_counted_by_address_and_right_ones_go_on(api: Running) -> None:
    with api.client_of("rt_aaaaaaaa_wrong") as guessing:
        statuses = [guessing.get("/v1/rooms").status_code for _ in range(8)]
    assert statuses[:3] == [401] * 3
    assert 429 in statuses[3:]
    with api.client_of(None) as browser:
        assert browser.post("/session", json={"key": "rt_b_c"}).status_code == 429
        assert browser.get("/livez").status_code == 200
        assert browser.get("/v1/rooms").status_code == 401, "no key is no guess"
    with api.client_of(api.new_key(Role.VIEWER)) as good:
        assert good.get("/v1/rooms").status_code == 200


def test_streams_are_bounded_together(api: Running) -> None:
    from websockets.exceptions import InvalidStatus

    key = api.new_key(Role.VIEWER)
    with api.stream(key), api.stream(key), pytest.raises(InvalidStatus) as refused:
        api.stream(key)
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"


def test_other_sites_are_let_in_by_name_only(api: Running) -> None:
    with api.client_of(api.new_key(Role.VIEWER)) as client:
        listed = client.get("/v1/rooms", headers={"Origin": PANEL})
        assert listed.headers["access-control-allow-origin"] == PANEL
        assert "access-control-allow-credentials" not in listed.headers
        assert "ETag" in listed.headers["access-control-expose-headers"]
        other = client.get("/v1/rooms", headers={"Origin": "https://panel.example.evil"})
        assert other.status_code == 403
    asked = {
        "Origin": PANEL,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    with api.client_of(None) as page:
        preflight = page.options("/v1/rooms/lab", headers=asked)
        assert preflight.status_code == 200
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        assert page.options("/v1/rooms/lab", headers={**asked, "Origin": "https://evil"}).status_code == 403


def test_origins_are_origins() -> None:
    from service.settings import ServerSettings

    for wrong in ("*", "panel.example", "https://panel.example/", "https://*.example"):
        with pytest.raises(ValueError, match="cors_origins"):
            ServerSettings(cors_origins=[wrong])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("plain")) as running:
        running.put_room("lab")
        yield running


def test_methods_of_a_path_are_all_named(plain: Running) -> None:
    answer = plain.client.patch("/v1/rooms/lab", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"
    told = plain.client.options("/v1/rooms/lab")
    assert (told.status_code, told.headers["allow"]) == (204, answer.headers["allow"])
    with plain.client_of(None) as nobody:
        assert nobody.options("/v1/rooms/lab").status_code == 401
        assert nobody.options("/livez").headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_is_get_without_its_body(plain: Running) -> None:
    for path in ("/v1/rooms/lab", "/livez", "/v1/rooms/none"):
        got, asked = plain.client.get(path), plain.client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b""), path
        assert asked.headers["content-type"] == got.headers["content-type"], path


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/*;q=0.5", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/vnd.oai.openapi+json", 200),
        ("text/html", 406),
        ("application/json;q=0, text/plain", 406),
        ("nonsense", 406),
    ],
)
def test_answers_in_a_form_that_is_accepted(plain: Running, accept: str, status: int) -> None:
    answer = plain.client.get("/v1/rooms", headers={"Accept": accept})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["type"] == "/problems/not-acceptable"
        assert answer.headers["content-type"] == "application/problem+json"


def test_bodies_of_other_types_are_415(plain: Running) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        headers = {"Content-Type": kind} if kind else {}
        answer = plain.client.put("/v1/rooms/lab", content=b"{}", headers=headers)
        assert answer.status_code == 415, kind
        assert answer.json()["type"] == "/problems/unsupported-media-type"
    headers = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert plain.client.put("/v1/rooms/lab", content=b"{}", headers=headers).status_code == 200
    samples = plain.client.post("/v1/rooms/lab/samples", content=b"x", headers={"Content-Type": "text/csv"})
    assert samples.status_code == 415


def test_request_ids_of_callers_are_kept_where_they_are_ids(plain: Running) -> None:
    given = {"X-Request-Id": "bms-2026.11-0042"}
    assert plain.client.get("/v1/rooms", headers=given).headers["x-request-id"] == given["X-Request-Id"]
    assert plain.client.get("/v1/none", headers=given).json()["request_id"] == given["X-Request-Id"]
    for odd in ("short", "a" * 65, "with space here", 'quote"quote"quote'):
        made = plain.client.get("/v1/rooms", headers={"X-Request-Id": odd}).headers["x-request-id"]
        assert made != odd
        assert len(made) == 16


def test_a_rate_in_the_problem_is_a_problem(tmp_path: Path) -> None:
    limits = Limits(LimitSettings(address_requests_per_s=1))
    limits.ask("a")
    limits.ask("a")
    with pytest.raises(Problem, match="too many requests from this address; try again in 1 s"):
        limits.ask("a")


def test_routes_that_will_go_say_so_on_every_answer(tmp_path: Path) -> None:
    since, until = datetime(2026, 11, 21, tzinfo=UTC), datetime(2027, 11, 21, tzinfo=UTC)
    told = leaving(since, until, "/v2/rooms")
    router = APIRouter(tags=["old"])

    @router.get("/v1/old", **guarded(Role.OPERATOR, leaving=told))
    def read_old() -> dict[str, str]:
        """What was."""
        return {}

    with Running(tmp_path) as api:
        api.app.include_router(router)
        with api.client_of(api.new_key(Role.VIEWER)) as viewer:
            for answer, status in ((api.client.get("/v1/old"), 200), (viewer.get("/v1/old"), 403)):
                assert answer.status_code == status
                assert answer.headers["deprecation"] == "@1795219200"
                assert answer.headers["sunset"] == "Sun, 21 Nov 2027 00:00:00 GMT"
                assert answer.headers["link"] == '</v2/rooms>; rel="successor-version"'
        assert "deprecation" not in api.client.get("/v1/rooms").headers
        assert api.app.openapi()["paths"]["/v1/old"]["get"]["deprecated"] is True
