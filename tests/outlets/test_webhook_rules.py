"""The address rule where a name lies, and the rule by which a webhook is turned off."""

import asyncio
import socket
from typing import Any

import httpcore2
import pytest

from service.outlets.webhooks.address import AddressRule
from service.outlets.webhooks.client import Answer
from service.outlets.webhooks.health import Health
from service.outlets.webhooks.network import CheckedNetwork

HOUR = 3600 * 10**9
GOOD, BAD, GONE = Answer(204, None, 0.1), Answer(503, None, 0.1), Answer(410, None, 0.1)


class Names:
    """Answers of a name server that changes its mind: each asking gets the next list."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        del host
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


async def connect(names: Names, rule: AddressRule, port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    stream = await CheckedNetwork(rule, http=False).connect_tcp("receiver.example", port, timeout=5)
    peer = stream.get_extra_info("server_addr")[0]
    await stream.aclose()
    return str(peer)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["8.8.8.8", "169.254.169.254"]]
)
async def test_a_name_that_leads_inside_is_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(httpcore2.ConnectError, match=r"public internet|refused"):
        await connect(Names(addresses), AddressRule(), 443, monkeypatch)


async def test_a_name_is_asked_once_and_what_was_checked_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        peer = await connect(names, AddressRule(allow_private=True), server.getsockname()[1], monkeypatch)
    assert (peer, names.asked) == ("127.0.0.1", 1)


def test_plain_http_is_for_loopback_only() -> None:
    rule = AddressRule(allow_http=True)
    rule.check_url("http://127.0.0.1:1880/hook")
    rule.check_url("http://localhost/hook")
    with pytest.raises(ValueError, match="use https"):
        rule.check_url("http://10.0.0.7/hook")
    with pytest.raises(ValueError, match="use https"):  # NAT64: it leaves the machine
        AddressRule(allow_http=True, allow_private=True).check_url("http://[64:ff9b::127.0.0.1]/hook")
    with pytest.raises(ValueError, match="no user name"):
        rule.check_url("http://localhost:x@elsewhere.example/hook")
    with pytest.raises(ValueError, match="use https"):
        AddressRule(allow_private=True).check_url("http://127.0.0.1/hook")


def test_private_addresses_are_for_sites_that_allow_them() -> None:
    AddressRule(allow_private=True).check_url("https://192.168.1.9/hook")
    with pytest.raises(ValueError, match="allow_private"):
        AddressRule().check_url("https://192.168.1.9/hook")


def test_an_outage_of_less_than_a_day_turns_nothing_off() -> None:
    health = Health()
    for minute in range(24 * 60 - 1):
        assert health.note(BAD, minute * HOUR // 60) is None
    verdict = health.note(BAD, 24 * HOUR)
    assert verdict is not None
    assert "no delivery succeeded for 24 hours" in verdict


def test_a_success_starts_the_day_anew() -> None:
    health = Health()
    health.note(BAD, 0)
    health.note(GOOD, 23 * HOUR)
    assert health.note(BAD, 25 * HOUR) is None
    assert Health.read(health.document()) == health


def test_who_fails_nearly_always_for_a_day_is_turned_off() -> None:
    health, verdict = Health(), None
    for minute in range(26 * 60):
        answer = GOOD if minute in {0, 700} else BAD
        verdict = health.note(answer, minute * HOUR // 60)
        assert verdict is None or minute >= 25 * 60
    assert verdict is not None
    assert "1558 of 1560 attempts" in verdict


def test_a_quiet_webhook_survives_an_outage() -> None:
    health = Health()
    health.note(GOOD, 0)
    assert all(health.note(BAD, (2 * 60 + minute) * HOUR // 60) is None for minute in range(24 * 60 - 1))


def test_gone_is_gone_at_once() -> None:
    assert Health().note(GONE, 0) == "the receiver answered 410 Gone"
