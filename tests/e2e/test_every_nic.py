"""Captures of every NIC through `roomtone replay` into a real service: rate, shape and sender in the API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.frame import mac_text
from drivers.registry import load, names
from drivers.stream import Stream
from service.cli.summary import Timeline, describe_link
from tests.drivers.samples import SAMPLES
from tests.e2e.site import Site, wait_for

pytestmark = pytest.mark.timeout(240)
CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
REAL = {
    "atheros": "atheros/csiread_ath_csi_1.dat",
    "esp32": "esp32/csikit_example_100hz_pitraffic.csv",
    "intel5300": "intel5300/csidata_walk_post_1597163546.dat",
    "nexmon": "nexmon/csidata_walk_1597159475.pcap",
}
RATE_NOW_S = 5.0
"""The service tells the rate of the last seconds of capture time."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all: every test has links and rooms of its own."""
    with Site(tmp_path_factory.mktemp("site")) as running:
        yield running


def replayed(site: Site, capture: Path, link: str, *more: str) -> dict[str, Any]:
    """The replay's own report, and `link` as the API has it once its numbers are in."""
    done = site.command("replay", str(capture), "--link", link, "--room", f"room-{link}", "--json", *more)
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)["files"]
    assert report["processed"] == report["published"] > 0

    def told() -> dict[str, Any] | None:
        found: dict[str, Any] = site.get(f"/v1/links/{link}")
        counted = found["accepted"] and found["received"] >= report["published"]
        return found if counted and found["transmitter"] == report["transmitter"] else None

    return {**report, "link": wait_for(told, f"link {link} in the API")}


def seen_in(capture: Path, nic: str) -> tuple[dict[str, Any], float]:
    """What `inspect` says of the capture, and the rate of its last seconds."""
    stream, timeline = Stream(load(nic)), Timeline()
    for block in stream.feed(capture.read_bytes()) + stream.finish():
        timeline.add(block)
    times = timeline.times_ns
    late = times[times >= times[-1] - RATE_NOW_S * 1e9]
    return describe_link(timeline)[0], (len(late) - 1) / (int(late[-1] - late[0]) / 1e9)


@pytest.mark.parametrize("nic", names())
def test_simulated_bytes_of_each_nic_reach_the_api(site: Site, tmp_path: Path, nic: str) -> None:
    capture = tmp_path / "capture.bin"
    capture.write_bytes(SAMPLES[nic].file(600))
    told = replayed(site, capture, f"made-{nic}")
    link, (found, rate) = told["link"], seen_in(capture, nic)
    assert (link["source"], link["nic"], link["shape"]) == ("replay", nic, found["shape"])
    assert link["bandwidth_mhz"] in found["bandwidth_mhz"]
    assert link["rate_hz"] == pytest.approx(rate, rel=0.15)
    assert link["received"] == link["accepted"] + link["late"] + sum(link["rejected"].values())
    assert (link["transmitter"] is None) == (SAMPLES[nic].block(1).table["transmitter"][0] == 0)


@pytest.mark.shared
@pytest.mark.parametrize("nic", sorted(REAL))
def test_a_recording_of_each_nic_reaches_the_api(site: Site, nic: str) -> None:
    capture = CAPTURES / REAL[nic]
    if not capture.exists():
        pytest.skip(f"{capture} is not there")
    if nic not in names():
        pytest.skip(f"no NIC {nic} in this build")
    told = replayed(site, capture, f"real-{nic}")
    link, (found, rate) = told["link"], seen_in(capture, nic)
    assert (link["source"], link["nic"], link["shape"]) == ("replay", nic, found["shape"])
    assert link["rate_hz"] == pytest.approx(rate, rel=0.15)
    assert link["transmitter"] == told["transmitter"]
    assert link["source_rejected"] == told["rejected"]
    assert link["loss_method"] in {"counter", "timing", "unknown"}
    quality = site.get(f"/v1/rooms/room-real-{nic}/quality")["items"][0]
    assert quality["shape"] == found["shape"]


def test_one_sender_makes_the_link_and_another_one_moves_it(site: Site, tmp_path: Path) -> None:
    if "nexmon" not in names():
        pytest.skip("needs a NIC whose records name the sender")
    nic, block = load("nexmon"), SAMPLES["nexmon"].block(400)
    first, other = 0x0016EA000001, 0x0016EA000002
    for name, macs in (("a", [first, first, other, first]), ("b", [other])):
        block.table["transmitter"] = [macs[row % len(macs)] for row in range(len(block))]
        (tmp_path / name).write_bytes(nic.opening() + nic.encode(block))
    told = replayed(site, tmp_path / "a", "moving")
    assert told["transmitter"] == told["link"]["transmitter"] == mac_text(first)
    assert told["link"]["source_rejected"] == told["rejected"] == {"other_transmitter": 100}
    told = replayed(site, tmp_path / "b", "moving")
    assert (told["link"]["transmitter"], told["link"]["roamed"]) == (mac_text(other), 1)
    (roamed,) = [event for event in site.events() if event["type"] == "org.roomtone.link.roamed"]
    assert roamed["data"]["link"] == "moving"
    assert (roamed["data"]["before"], roamed["data"]["after"]) == (mac_text(first), mac_text(other))
    assert roamed["data"]["source"] == "replay"


def test_a_mac_address_is_refused_where_the_records_hold_none(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(SAMPLES["intel5300"].file(10))
    words = ("replay", str(tmp_path / "a.dat"), "--link", "l1", "--room", "r", "--tx")
    done = site.command(*words, "00:16:ea:12:34:56")
    assert done.returncode == 2
    assert "do not say who sent" in done.stderr
