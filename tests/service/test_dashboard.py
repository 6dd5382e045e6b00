"""The dashboard in a real browser: what people see is what the API says, and unknown never looks vacant."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from service.api.stream.outbox import StreamEnd
from service.events import EventType, Severity
from service.store.keys import Role
from service.store.schema import alerts
from service.store.sessions import login_url
from tests.service.running import PretendedWorker, Running, link_facts, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect = playwright.expect
pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        yield running


@pytest.fixture
def worker(api: Running) -> Iterator[PretendedWorker]:
    with PretendedWorker(api.settings) as pretended:
        pretended.links = {"l1": link_facts("lab")}
        wait_for(lambda: "l1" in api.context.watch.links, "the worker's heartbeat")
        yield pretended


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert errors == [], "the page raised no error"
    context.close()


def furnish(api: Running) -> None:
    """A simulated room with people, and a room that never had data."""
    api.put_room("lab", name="Laboratory", links=["l1"], stale_after_s=600)
    api.put_room("attic", name="Attic")
    now = time.time_ns()
    model = {"name": "motion", "version": "1", "digest": "d", "trained_on": "nothing", "provisional": False}
    api.put_state("lab", "presence", "occupied", received_ns=now, motion=0.6, model=model)
    api.put_state("lab", "counting", 3, received_ns=now, interval=[2, 4])
    end = now // 10**9
    for i, value in ((0, "vacant"), (100, "occupied"), (200, "vacant")):
        ends = list(range(end - 300 + i, end - 200 + i))
        for chunk in (ends[:50], ends[50:]):
            motion = 0.05 if value == "vacant" else 0.4 + 0.5 * (chunk[0] % 2)
            api.put_predictions("lab", "presence", chunk, value=value, motion=motion, source="simulated")


def card(page: "Page", room: str) -> "Locator":
    return page.locator(f".card[data-room={room}]")


def test_printed_address_opens_the_dashboard_once(
    api: Running, worker: PretendedWorker, page: "Page"
) -> None:
    furnish(api)
    address = login_url(api.store, api.base)
    page.goto(address)
    expect(card(page, "lab").locator(".word")).to_have_text("Occupied")
    assert "token" not in page.url
    assert "token" not in page.evaluate("document.cookie + location.href")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("That address was used already")).to_be_visible()


def test_room_is_told_in_words(api: Running, worker: PretendedWorker, page: "Page") -> None:
    furnish(api)
    page.goto(login_url(api.store, api.base))
    lab, attic = card(page, "lab"), card(page, "attic")
    expect(lab.get_by_role("heading", name="Laboratory")).to_be_visible()
    expect(lab.locator(".source")).to_have_text("SIMULATED")
    expect(lab.locator(".facts")).to_contain_text("3 people (90 %: 2 to 4)")
    expect(lab.locator(".presence")).to_contain_text("90 % sure")
    expect(lab.locator(".links")).to_contain_text("l1 (intel5300): 100 frames/s, 10.0 % lost, -51 dBm")
    expect(lab.locator("svg rect")).to_have_count(300)
    expect(lab.get_by_role("img", name=re.compile("33 % occupied, 67 % vacant, 0 % unknown"))).to_be_visible()
    expect(attic.locator(".word")).to_have_text("Unknown")
    expect(attic.locator(".why")).to_have_text("No frames have arrived from its links.")
    expect(attic.locator(".source")).to_be_hidden()


def test_silent_worker_never_looks_vacant(api: Running, worker: PretendedWorker, page: "Page") -> None:
    furnish(api)
    api.put_state("lab", "presence", "vacant", received_ns=time.time_ns())
    page.goto(login_url(api.store, api.base))
    expect(card(page, "lab").locator(".word")).to_have_text("Vacant")
    worker.stop()
    # Three seconds until silence counts, two more until the page looks again.
    expect(card(page, "lab").locator(".word")).to_have_text("Unknown", timeout=20_000)
    expect(card(page, "lab").locator(".why")).to_contain_text("The sensing worker is not running.")
    expect(card(page, "lab").locator(".why")).to_contain_text("Last known: vacant")
    assert card(page, "lab").get_attribute("data-presence") == "unknown"


def test_events_arrive_live_and_after_a_lost_connection(
    api: Running, worker: PretendedWorker, page: "Page"
) -> None:
    furnish(api)
    page.goto(login_url(api.store, api.base))
    expect(page.get_by_role("status")).to_have_text("live")
    data: dict[str, Any] = {"alert_id": "a1", "rule": "room_occupied", "source": "simulated"}
    first = api.append(EventType.ALERT_RAISED, "lab", Severity.INFO, **data)
    newest = page.get_by_role("log").locator("li").first
    expect(newest).to_contain_text("Alert raised: room occupied")
    expect(newest).to_contain_text("SIMULATED")
    for client in list(api.context.hub.clients):
        client.outbox.end(StreamEnd(4408, "as if it had not kept up"))
    second = api.append(EventType.ALERT_CLEARED, "lab", Severity.INFO, **data)
    expect(newest).to_contain_text("Alert cleared: room occupied")
    shown = page.get_by_role("log").locator("li").evaluate_all("items => items.map(i => +i.dataset.sequence)")
    assert shown == sorted(set(shown), reverse=True), "in order, none twice"
    assert {first, second} <= set(shown)


def test_an_alert_is_answered_where_it_is_told(api: Running, worker: PretendedWorker, page: "Page") -> None:
    furnish(api)
    now = time.time_ns()
    row = {"rule": "room_occupied", "room": "lab", "severity": "info", "state": "raised", "kind": "link_lost"}
    with api.store.write() as connection:
        values = {**row, "raised_ns": now, "updated_ns": now, "doc": {}, "marks": {}}
        connection.execute(alerts.insert().values(alert_id="a1", **values))
    page.goto(login_url(api.store, api.base))
    expect(page.get_by_role("status").first).to_have_text("live")
    api.append(EventType.ALERT_RAISED, "lab", Severity.INFO, alert_id="a1", rule="link_lost")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="False alarm").click()
    expect(page.get_by_role("button", name="False alarm")).to_have_count(0)
    shown = api.client.get("/v1/alerts/a1").json()
    assert (shown["state"], shown["dismissed"]["false_alarm"]) == ("dismissed", True)
    expect(page.get_by_role("log").locator("li").first).to_contain_text("Alert cleared")


def test_pasted_key_logs_in_and_wrong_one_does_not(api: Running, page: "Page") -> None:
    api.put_room("lab")
    page.goto(api.base)
    page.get_by_label("API key").fill("rt_no_key")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#login-reason")).to_contain_text("unknown, revoked or expired")
    page.get_by_label("API key").fill(api.new_key(Role.VIEWER))
    page.keyboard.press("Enter")
    expect(card(page, "lab")).to_be_visible()
    assert api.key not in page.content()


def test_revoked_key_leads_back_to_the_login(api: Running, page: "Page") -> None:
    made = api.client.post("/v1/keys", json={"role": "viewer"}).json()
    page.goto(api.base)
    page.get_by_label("API key").fill(made["key"])
    page.keyboard.press("Enter")
    expect(page.get_by_text("No room yet.")).to_be_visible()
    api.client.delete(f"/v1/keys/{made['id']}")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_page_fits_its_width(api: Running, worker: PretendedWorker, page: "Page", width: int) -> None:
    furnish(api)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(login_url(api.store, api.base))
    expect(card(page, "lab")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(
    api: Running, worker: PretendedWorker, page: "Page", scheme: Literal["light", "dark"]
) -> None:
    furnish(api)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(login_url(api.store, api.base))
    expect(card(page, "attic").locator(".why")).to_be_visible()
    for selector in (".word", ".name", ".sure", ".facts dt", ".why", ".links li", "#connection", ".quiet"):
        ratio = page.evaluate(CONTRAST, selector)
        assert ratio is None or ratio >= 4.5, (selector, ratio)


# WCAG 2 contrast of the first visible element against the nearest ground that is painted.
CONTRAST = """selector => {
  const all = [...document.querySelectorAll(selector)];
  const element = all.find(e => e.checkVisibility() && e.textContent.trim());
  if (!element) return null;
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let ground = element;
  while (ground && rgb(getComputedStyle(ground).backgroundColor)[3] < 255) ground = ground.parentElement;
  const a = light(rgb(getComputedStyle(element).color));
  const b = light(rgb(getComputedStyle(ground).backgroundColor));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
