"""A room that is deleted or erased while a capture is read, or a span is asked for, gets nothing back."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from service.adaptation.upload import read_upload
from service.api import sampling
from service.api.routes import samples as sample_routes
from service.api.sample_request import read_form
from service.store.erasing import Range, erase
from service.store.rooms import delete_room
from service.store.samples import ask
from service.store.schema import idempotency, samples
from service.worker import loop
from tests.service.test_samples import Site, capture, idle, problem, recording, site

__all__ = ["idle", "site"]


def deleted(site: Site) -> None:
    delete_room(site.api.store, "lab", check=lambda _: None, actor="test")


def made_anew(site: Site) -> None:
    deleted(site)
    site.api.put_room("lab", links=["l1"])


def erased(site: Site) -> None:
    erase(site.api.store, "lab", Range(), actor="test")


Change = Callable[[Site], None]
CHANGES = pytest.mark.parametrize(
    ("change", "kind"),
    [(deleted, "room-not-found"), (made_anew, "room-not-found"), (erased, "sample-not-found")],
)


def after(first: Callable[[], None], do: Callable[..., Any], *given: Any) -> Any:
    """What `do` gives, once `first` has happened."""
    first()
    return do(*given)


@CHANGES
def test_an_upload_brings_nothing_back(
    idle: Site, monkeypatch: pytest.MonkeyPatch, change: Change, kind: str
) -> None:
    read = partial(after, partial(change, idle), read_upload)
    with monkeypatch.context() as patched:
        patched.setattr(sampling, "read_upload", read)
        problem(idle.upload(capture(20, 1), {"Idempotency-Key": "k"}), 404, kind)
    assert idle.rows(samples) == idle.rows(idempotency) == []
    idle.api.put_room("lab", links=["l1"])
    assert idle.client.get("/v1/rooms/lab/samples").json()["items"] == []
    again = idle.upload(capture(20, 1), {"Idempotency-Key": "k"})
    assert again.json()["state"] == "accepted", "what came to nothing may be sent again"


def test_what_happens_while_the_capture_arrives_counts_as_well(
    idle: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = partial(after, partial(erased, idle), read_form)
    monkeypatch.setattr(sample_routes, "read_form", arrived)
    problem(idle.upload(capture(20, 1)), 404, "sample-not-found")
    assert idle.rows(samples) == []


@CHANGES
def test_a_span_that_was_asked_for_brings_nothing_back(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: Change, kind: str
) -> None:
    site.send(recording(20, 1))
    asked = partial(after, partial(change, site), ask)
    monkeypatch.setattr(sampling, "ask", asked)
    problem(site.post(2, 12), 404, kind)
    assert site.rows(samples) == []


@pytest.mark.parametrize("change", [erased, made_anew])
def test_a_span_that_is_asked_for_right_after_holds_nothing_of_before(
    idle: Site, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    for every in ("PRIVACY_CHECK_S", "LAYOUT_CHECK_S"):
        monkeypatch.setattr(loop, every, 1e9)
    idle.start()
    idle.send(recording(20, 1))
    change(idle)
    problem(idle.post(2, 12), 409, "span-not-held")
    assert [row["state"] for row in idle.rows(samples)] == ["expired"]
