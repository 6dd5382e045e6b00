"""Real requests through a trusted proxy and over TLS: whose address counts, what is in clear text."""

import ssl
import threading
from pathlib import Path

import httpx2
import pytest
import uvicorn
from pydantic import ValidationError

from service.access_settings import LimitSettings
from service.api.app import create_app
from service.bus.registry import open_signals
from service.certificate import own_certificate
from service.cli.api import server_config
from service.cli.errors import CommandError
from service.cli.exposure import check_exposure
from service.settings import ServerSettings, Settings
from service.store.engine import open_store
from tests.ports import free_port
from tests.service.running import Running, log_as_json, wait_for

FEW = LimitSettings(failed_logins_per_minute=3)


def tries(api: Running, addresses: list[str]) -> list[int]:
    """Statuses of wrong keys that claim to come from these addresses."""
    with api.client_of("rt_wrong_key") as client:
        return [
            client.get("/v1/rooms", headers={"X-Forwarded-For": address}).status_code for address in addresses
        ]


@pytest.mark.parametrize("proxy", [None, "192.0.2.0/24"])
def test_nobody_but_the_proxy_says_where_a_request_comes_from(tmp_path: Path, proxy: str | None) -> None:
    with Running(tmp_path, trusted_proxy=proxy, limits=FEW) as api:
        statuses = tries(api, [f"198.51.100.{number}" for number in range(6)])
    assert statuses == [401, 401, 401, 429, 429, 429], "six claims, one address"


@pytest.mark.parametrize("proxy", ["10.0.0.1, 127.0.0.0/8"])
def test_behind_a_trusted_proxy_each_address_is_its_own(tmp_path: Path, proxy: str) -> None:
    with Running(tmp_path, trusted_proxy=proxy, limits=FEW) as api:
        assert tries(api, ["198.51.100.1"] * 4) == [401, 401, 401, 429]
        assert tries(api, ["198.51.100.2"]) == [401]
        # What a client claims stands left of what the proxy saw, and counts for nothing.
        assert tries(api, ["203.0.113.9, 198.51.100.1", "203.0.113.8, 198.51.100.1"]) == [429, 429]


@pytest.mark.parametrize("proxy", ["*", "0.0.0.0/0", "::/0", "proxy.example", "10.0.0.5/24", ""])
def test_a_proxy_that_would_be_everybody_or_nobody_is_refused(proxy: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxy"):
        ServerSettings(trusted_proxy=proxy)


def test_with_a_certificate_only_tls_is_spoken(tmp_path: Path) -> None:
    log_as_json()
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    own_certificate(cert, key, name="localhost", hosts=["localhost"])
    server = ServerSettings(port=free_port(), tls_cert=cert, tls_key=key)
    settings = Settings(data_dir=tmp_path, server=server)
    store = open_store(settings.store_url)
    app = create_app(settings, store, lambda: open_signals(settings, "api"))
    running = uvicorn.Server(server_config(app, server))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: running.started, "the server")
        trust = ssl.create_default_context(cafile=str(cert))
        where = f"localhost:{server.port}"
        with httpx2.Client(verify=trust, trust_env=False) as client:
            answer = client.get(f"https://{where}/livez")
            assert answer.status_code == 200
            assert "max-age" in answer.headers.get("strict-transport-security", "")
            with pytest.raises(httpx2.TransportError):
                client.get(f"http://{where}/livez")
    finally:
        running.should_exit = True
        thread.join(20)
        store.close()


def test_files_that_make_no_tls_are_named_before_anything_starts(tmp_path: Path) -> None:
    for name in ("one", "two"):
        own_certificate(tmp_path / f"{name}.pem", tmp_path / f"{name}.key", name=name)
    text = tmp_path / "text.pem"
    text.write_text("no key")
    check_exposure(ServerSettings(tls_cert=tmp_path / "one.pem", tls_key=tmp_path / "one.key"))
    for cert, key in (("one.pem", "two.key"), ("text.pem", "one.key"), ("one.pem", "text.pem")):
        with pytest.raises(CommandError, match=r"TLS cannot be spoken with .*both must be PEM"):
            check_exposure(ServerSettings(tls_cert=tmp_path / cert, tls_key=tmp_path / key))
