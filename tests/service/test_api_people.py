"""People by tokens of an identity provider: a real key server, real signatures, and every known trick."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from service.access_settings import AuthSettings, LimitSettings, OidcSettings
from service.api import jwks
from service.api.jwks import KeySet
from service.api.problems import Problem
from tests.service.running import Running

ISSUER = "https://id.example/realms/building"
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(name: str, kid: str | None = None) -> dict[str, Any]:
    """A published key."""
    algorithm = jwt.get_algorithm_by_name(name)
    found = json.loads(algorithm.to_jwk(KEYS[name].public_key()))
    return {**found, "kid": kid or name, "alg": name, "use": "sig"}


class Provider:
    """A key server on loopback; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.content = json.dumps({"keys": [public(name) for name in KEYS]}).encode()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(outer.content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Running]:
    oidc = OidcSettings(
        issuer=ISSUER,
        jwks_url=provider.url,
        role_claim="realm_access.roles",
        roles={"facility": "operator", "it": "admin", "staff": "viewer"},
    )
    limits = LimitSettings(failed_logins_per_minute=0)
    folder = tmp_path_factory.mktemp("people")
    with Running(folder, auth=AuthSettings(oidc=oidc), limits=limits) as running:
        running.put_room("lab")
        yield running


def token(name: str = "RS256", key: Any = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    body = {
        "iss": ISSUER,
        "aud": "roomtone",
        "sub": "u-17",
        "iat": now,
        "exp": now + 300,
        "realm_access": {"roles": ["staff"]},
        **claims,
    }
    body = {claim: value for claim, value in body.items() if value is not None}
    return jwt.encode(body, key or KEYS[name], algorithm=name, headers={"kid": name, **(headers or {})})


def ask(api: Running, bearer: str, method: str = "GET", path: str = "/v1/rooms") -> httpx2.Response:
    with api.client_of(bearer) as client:
        return client.request(method, path, json={} if method == "PUT" else None)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("name", list(KEYS))
def test_tokens_of_every_algorithm(api: Running, name: str) -> None:
    answer = ask(api, token(name))
    assert answer.status_code == 200, answer.text


def test_roles_come_from_groups_and_the_highest_counts(api: Running) -> None:
    for groups, status in ((["staff"], 403), (["facility", "staff"], 403), (["staff", "it"], 200)):
        answer = ask(api, token(realm_access={"roles": groups}), "PUT", "/v1/rooms/lab")
        assert answer.status_code == status, groups
    entry = api.client.get("/v1/audit?limit=1").json()["items"][0]
    assert (entry["actor"], entry["action"]) == ("person:u-17", "room.changed")


def tampered() -> dict[str, str]:
    """Tokens that must never be taken."""
    now = int(time.time())
    pem = (
        KEYS["RS256"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    header, claims, signature = token().split(".")
    none = b64(json.dumps({"alg": "none", "kid": "RS256"}).encode())
    confused = b64(json.dumps({"alg": "HS256", "kid": "RS256"}).encode())
    signed = jwt.get_algorithm_by_name("HS256").sign(f"{confused}.{claims}".encode(), pem)
    admin = json.loads(base64.urlsafe_b64decode(claims + "=="))
    admin["realm_access"] = {"roles": ["it"]}
    return {
        "none": f"{none}.{claims}.",
        "none with a signature": f"{none}.{claims}.{signature}",
        "HS256 with the public key": f"{confused}.{claims}.{b64(signed)}",
        "other claims": f"{header}.{b64(json.dumps(admin).encode())}.{signature}",
        "stranger's key": token(key=STRANGER),
        "unknown key id": token(headers={"kid": "other"}),
        "another key's id": token("ES256", headers={"kid": "RS256"}),
        "other audience": token(aud="another-service"),
        "no audience": token(aud=None),
        "other issuer": token(iss="https://evil.example"),
        "expired": token(exp=now - 120),
        "no end": token(exp=None),
        "not yet": token(nbf=now + 600),
        "issued in the future": token(iat=now + 600),
        "no role here": token(realm_access={"roles": ["visitors"]}),
        "roles of another form": token(realm_access="it"),
        "nobody": token(sub=""),
        "end is text": token(exp=str(now + 300) + "x"),
        "end beyond time": token(exp=10**400),
        "too long": token(padding="x" * 20_000),
        "not JSON": f"{b64(b'{')}.{claims}.{signature}",
        "deep": f"{b64(b'[' * 3000)}.{claims}.{signature}",
        "dots": "..",
    }


@pytest.mark.parametrize("trick", list(tampered()))
def test_tricks_are_refused(api: Running, trick: str) -> None:
    bearer = tampered()[trick]
    answer = ask(api, bearer)
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "/problems/unauthenticated"
    assert bearer[:40] not in answer.text or len(bearer) < 5, "nothing of it is repeated"


def test_clocks_may_differ_a_little(api: Running) -> None:
    now = int(time.time())
    assert ask(api, token(exp=now - 5)).status_code == 200
    assert ask(api, token(nbf=now + 5)).status_code == 200


def test_made_up_key_ids_do_not_load_the_provider(api: Running, provider: Provider) -> None:
    ask(api, token())
    before = provider.asked
    for number in range(20):
        assert ask(api, token(headers={"kid": f"made-up-{number}"})).status_code == 401
    assert provider.asked - before <= 2


def test_a_new_key_is_found_and_an_outage_is_borne(provider: Provider) -> None:
    now = 0.0
    keys = KeySet(provider.url, None, clock=lambda: now)
    known = provider.content
    assert keys.find("RS256") is not None
    provider.content = json.dumps({"keys": [public("RS256"), public("ES256", "rolled")]}).encode()
    assert keys.find("rolled") is None, "asked a moment ago"
    now += jwks.AGAIN_S
    assert keys.find("rolled") is not None
    for broken in (b"<html>", b'{"keys": []}', b"\xff", b"x" * 300_000):
        provider.content = broken
        now += jwks.KEPT_S + 1
        assert keys.find("RS256") is not None, "what was known still serves"
    provider.content = known


def test_no_keys_at_all_is_an_outage_and_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="provider's keys") as caught:
        KeySet(None, tmp_path / "none.json").find("RS256")
    assert caught.value.kind == "identity-provider-down"
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [public("EdDSA")]}))
    keys = KeySet(None, file)
    assert keys.find("EdDSA") is not None
    assert keys.find(None) is not None, "the only one there is"


def test_one_room_by_a_claim(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [public("RS256")]}))
    oidc = OidcSettings(issuer=ISSUER, jwks_file=file, role_claim="groups", room_claim="room")
    with Running(tmp_path / "site", auth=AuthSettings(oidc=oidc)) as api:
        for room in ("lab", "other"):
            api.put_room(room)
        mine = token(groups="viewer", room="lab")
        assert [one["room"] for one in ask(api, mine).json()["items"]] == ["lab"]
        assert ask(api, mine, path="/v1/rooms/other").status_code == 403
        assert ask(api, token(groups="viewer")).status_code == 401, "without the claim, no room at all"
        with api.stream(mine) as stream:
            stream.send(json.dumps({"type": "subscribe", "rooms": ["other"]}))
            assert json.loads(stream.recv(timeout=30))["code"] == "forbidden"


def test_streams_are_gated_by_the_same_rule_and_end_with_the_token(api: Running) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    with pytest.raises(InvalidStatus) as refused:
        api.stream(tampered()["none"])
    assert refused.value.response.status_code == 401
    with api.stream(token(exp=int(time.time()) - 29)) as stream:  # a second left of the leeway
        stream.send('{"type": "subscribe"}')
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one of jwks_url and jwks_file"):
        OidcSettings(issuer=ISSUER)


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example/jwks",
        "HTTPS://ID.Example./jwks",
        "https://[2001:db8::7]:8443/jwks",
        "http://localhost:8080/jwks",
        "HTTP://LOCALHOST/jwks",
        "http://localhost:/jwks",
        "http://127.9.9.9:8080/jwks",
        "http://[::1]/jwks",
        "http://[::ffff:127.0.0.1]:8080/jwks",
    ],
)
def test_keys_come_over_tls_or_from_this_machine(url: str) -> None:
    assert OidcSettings(issuer=ISSUER, jwks_url=url).jwks_url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://id.example/jwks", "must be https"),
        ("http://localhost.id.example/jwks", "must be https"),
        ("http://localhost./jwks", "must be https"),  # a name server may have an answer of its own
        ("http://127.0.0.1./jwks", "must be https"),
        ("http://127.0.0.1.id.example:80/jwks", "must be https"),
        ("http://2130706433/jwks", "must be https"),
        ("http://10.0.0.7/jwks", "must be https"),
        ("http://[2001:db8::7]/jwks", "must be https"),
        ("http://[64:ff9b::127.0.0.1]/jwks", "must be https"),  # NAT64: it leaves the machine
        ("http://localhost:x@id.example/jwks", "no user name"),
        ("http://127.0.0.1:80@id.example/jwks", "no user name"),
        ("http://localhost@id.example/jwks", "no user name"),
        ("https://:secret@id.example/jwks", "no user name"),
        ("https://@id.example/jwks", "no user name"),
        ("https://id.example/jwks#keys", "no fragment"),
        ("https://id.example:0/jwks", "no port 0"),
        ("https://id.example:jwks/", "a port is a number"),
        ("https://id.example:65536/jwks", "a port is a number"),
        ("http://[::1/jwks", "write https://HOST/PATH"),
        ("https:///jwks", "write https://HOST/PATH"),
        ("file:///etc/passwd", "write https://HOST/PATH"),
        ("ftp://localhost/jwks", "write https://HOST/PATH"),
        ("localhost:8080/jwks", "write https://HOST/PATH"),
        ("http://localhost\\@id.example/jwks", "printable"),
        ("http://localhost\t:80/jwks", "printable"),
        ("https://id.example/" + "j" * 2000, "at most 2000"),
    ],
)
def test_keys_come_from_nowhere_else(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        OidcSettings(issuer=ISSUER, jwks_url=url)
    assert "secret" not in str(refused.value).partition("[")[0]
