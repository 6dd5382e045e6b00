"""POST /v1/models: an own model comes to the local shelf as `models add` brings it, and serves at once."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.contract.limits import LARGEST_BYTES
from models.sensing import Sensing
from models.signal.window import WindowSpec
from service.inference import checking
from service.inference.adding import add_model
from service.inference.local_shelf import LocalShelf
from service.settings import ModelSettings
from service.store.keys import Role
from service.trainer.adaptation import Shop
from service.trainer.loop import Trainer
from tests.service.bench import Bench
from tests.service.running import Running

ZOO = Path(__file__).parents[2] / "models" / "zoo" / "open" / "presence-simulation"
MODEL = (ZOO / "model.onnx").read_bytes()


def card(name: str = "mine", **instead: str) -> str:
    """The shipped model's card, as that of an own model."""
    lines = {"name": f'"{name}"', "shelf": '"local"', "digest": '""', **instead}
    text = re.sub(r"^core = .*\n", "", (ZOO / "card.toml").read_text(), flags=re.MULTILINE)
    for key, value in lines.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
    return text


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("own"), max_body_bytes=2048)
    running.settings.models = ModelSettings(shelves=["open", "local"])
    running.context.__post_init__()  # which shelves there are is looked at when a site starts
    with running:
        yield running


def send(api: Running, told: str, model: bytes = MODEL, key: str | None = None, **files: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    parts = {"file": ("../../x.onnx", model), "card": ("/etc/card.toml", told.encode()), **files}
    return api.client.post("/v1/models", files=parts, headers=headers)


def test_an_own_model_is_checked_kept_listed_and_served(api: Running) -> None:
    shelf = LocalShelf(api.settings)
    assert shelf.news() is None
    made = send(api, card(), key="one")
    assert made.status_code == 201, made.text
    assert made.json()["loaded"] is True
    assert made.json()["shelf"] == "local"
    assert made.json()["digest"]
    assert [path.name for path in api.settings.local_shelf.iterdir()] == ["mine"]
    assert api.client.get("/v1/models/mine").json()["task"] == "presence"
    assert api.client.get("/v2/models/mine/ready").json() == {"name": "mine", "ready": True}
    news = shelf.news()
    assert news is not None
    assert "mine" in [one.name for one in news.cards()]
    assert shelf.news() is None
    assert api.client.get("/v1/audit").json()["items"][0]["target"] == "mine"
    again = send(api, card(), key="one")
    assert again.status_code == 201
    assert again.json()["digest"] == made.json()["digest"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert send(api, card("other"), key="one").json()["type"] == "/problems/idempotency-key-reused"
    assert send(api, card()).json()["type"] == "/problems/model-there"
    assert send(api, card("presence-simulation")).json()["type"] == "/problems/model-there"


def test_every_broken_rule_is_told(api: Running) -> None:
    text = card("../../up", features='"magic"', nics="[]")
    refused = send(api, text)
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/model-refused"
    broken = "\n".join(refused.json()["broken"])
    for word in ("must be letters", "is none of variation", "it would speak for no card"):
        assert word in broken
    assert len(refused.json()["broken"]) == 3
    assert not list(api.settings.data_dir.parent.glob("up"))


@pytest.mark.parametrize(
    ("model", "told", "word"),
    [
        (b"no model", card("a"), "no ONNX model"),
        (MODEL, "name = ", "not TOML"),
        (MODEL, f'core = "0"\n{card("a")}', "core.npz"),
    ],
)
def test_files_that_are_not_what_they_should_be(api: Running, model: bytes, told: str, word: str) -> None:
    refused = send(api, told, model)
    assert refused.status_code == 422
    assert word in "\n".join(refused.json()["broken"])
    assert not (api.settings.local_shelf / "a").exists()


def test_forms_that_do_not_fit_and_keys_that_may_not(api: Running) -> None:
    assert api.client.post("/v1/models", json={}).status_code == 415
    assert api.client.post("/v1/models", files={"card": ("c", b"x")}).status_code == 422
    assert send(api, card("a"), more=("m", b"x")).json()["detail"].startswith("body.more")
    assert send(api, card("a"), b"0" * (LARGEST_BYTES + 1)).json()["detail"].startswith("body.file")
    for key in (api.new_key(Role.OPERATOR), api.new_key(Role.ADMIN, room="lab")):
        with api.client_of(key) as client:
            assert client.post("/v1/models", files={"file": ("f", MODEL)}).status_code == 403


def test_an_installation_without_the_extra_says_so(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.modules['onnx'] = None; from models.contract.__main__ import main; main('', '')"
    )
    monkeypatch.setattr(checking, "WORDS", [sys.executable, "-c", program])
    refused = send(api, card("a"))
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/checker-missing"


def test_worker_and_trainer_take_up_what_is_added_without_a_restart(
    make: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make()
    bench.settings.models = ModelSettings(shelves=["local"])
    bench.restart()
    bench.turn()
    assert bench.worker._sensing is bench.sensing
    (tmp_path / "card.toml").write_text(card("late"))
    shelf = bench.settings.local_shelf
    add_model(shelf, ZOO / "model.onnx", tmp_path / "card.toml", None)
    bench.turn()
    assert [one.name for one in bench.worker._sensing.cards()] == ["late"]
    serving = bench.worker._sensing
    trainer = Trainer(Shop(bench.store, serving, WindowSpec(), bench.settings.adaptation), lambda _: None)
    (shelf / "broken").mkdir()
    (shelf / "broken" / "card.toml").write_text("no card")
    bench.turn()
    assert bench.worker._sensing is serving, "a damaged model leaves what serves"
    other = Sensing([])
    trainer.use(other)
    assert trainer._shop.sensing is other
