"""Hosts that a webhook cannot lead to: no names at all, and addresses in which another one is hidden."""

import httpcore2
import pytest

from service.outlets.webhooks.address import AddressRule
from service.outlets.webhooks.client import Sender, tls_of
from service.outlets.webhooks.network import CheckedNetwork
from service.urls import web_url

LABEL = "a" * 63
NO_NAMES = [
    "hooks..example.com",
    ".example.com",
    "example.com..",
    f"{LABEL}a.example.com",
    ".".join([LABEL] * 4),
    "exa%6dple.com",
    "exa+mple.com",
]


@pytest.mark.parametrize("host", NO_NAMES)
def test_a_host_that_is_no_name_is_refused_in_words(host: str) -> None:
    with pytest.raises(ValueError, match="is no name of a host: parts of 1 to 63"):
        AddressRule().check_url(f"https://{host}/x")


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "EXAMPLE.com.",
        "xn--exmple-cua.com",
        "my_container:8443",
        "8.8.8.8",
        "[2606:4700::1111]",
        f"{LABEL}.{LABEL}.{LABEL}.{LABEL[:61]}",
    ],
)
def test_what_can_be_a_host_is_taken(host: str) -> None:
    AddressRule().check_url(f"https://{host}/x")
    assert web_url(f"https://{host}/x").hostname


@pytest.mark.parametrize("host", NO_NAMES[:5])
async def test_a_name_that_cannot_be_resolved_is_trouble_and_no_bug(host: str) -> None:
    """Webhooks that were made before such names were refused."""
    with pytest.raises(httpcore2.ConnectError, match="cannot be resolved"):
        await CheckedNetwork(AddressRule(), http=False).connect_tcp(host, 443)
    async with Sender(f"https://{host}/x", AddressRule(), tls_of(None)) as sender:
        answer = await sender.post(b"{}", {})
    assert not answer.delivered
    assert "cannot be resolved" in answer.trouble


@pytest.mark.parametrize(
    "address",
    [
        "::127.0.0.1",
        "::10.0.0.7",
        "::169.254.169.254",
        "::8.8.8.8",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:fffe::a00:7",
        "64:ff9b:1::a9fe:a9fe",
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_an_address_that_hides_another_one_is_refused(address: str, allow_private: bool) -> None:
    with pytest.raises(ValueError, match="hidden"):
        AddressRule(allow_private=allow_private).check_url(f"https://[{address}]/hook")


def test_loopback_itself_is_private_and_hides_nothing() -> None:
    AddressRule(allow_private=True).check_url("https://[::1]/hook")
    with pytest.raises(ValueError, match="allow_private"):
        AddressRule().check_url("https://[::1]/hook")
    with pytest.raises(ValueError, match="no address at all"):
        AddressRule(allow_private=True).check_url("https://[::]/hook")
