"""A figure is answered again when what it hangs on changes, and not because something else did."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.data.registry import SIMULATION
from models.figures import compare
from models.figures.__main__ import app
from models.figures.code import code_in, modules_of, reached
from models.figures.rows import ROWS, Row
from models.training.problem import Question

ROOT = Path(__file__).parents[2]
ZERO_SHOT = Question("suspicious_object", Path(SIMULATION), "room1", "room2")
FEW = Question("localization", Path(SIMULATION), "room1", "room2", support="room2:5")
ADAPTERS = "models.adapt.instant.", "models.adapt.deep."


def adapters(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(ADAPTERS)}


def test_without_labels_of_the_target_nothing_hangs_on_what_uses_them() -> None:
    found = modules_of(ZERO_SHOT, "auto")
    assert {"models.training.evaluate", "models.data.simulated", "drivers.simulate.simulation"} <= found
    assert "models.signal.window" in found
    assert not adapters(found)
    assert not found & {"models.adapt.choice", "models.learners.carry", "models.training.automatic"}


def test_a_named_method_hangs_on_itself_and_not_on_its_rivals() -> None:
    found = modules_of(FEW, "metric_head")
    assert "models.adapt.instant.metric_head" in found
    assert {"models.training.adapting", "models.learners.carry"} <= found
    assert not found & {"models.adapt.instant.prototype", "models.adapt.choice", "models.learners.opinion"}


@pytest.mark.parametrize(("pool", "members"), [("opinion_2", {"models.adapt.instant.two_covariance"})])
def test_a_pool_hangs_on_its_members(pool: str, members: set[str]) -> None:
    found = modules_of(FEW, pool)
    assert members | {"models.learners.opinion", "models.learners.carry"} <= found
    assert "models.adapt.choice" not in found


def test_auto_hangs_on_the_rule_and_on_every_method() -> None:
    found = modules_of(FEW, "auto")
    assert {"models.adapt.choice", "models.training.automatic", "models.learners.opinion"} <= found
    files = (path for kind in ("instant", "deep") for path in (ROOT / "models" / "adapt" / kind).glob("*.py"))
    assert adapters(found) == {
        f"models.adapt.{path.parent.name}.{path.stem}" for path in files if path.stem != "__init__"
    }


def test_who_reads_captures_hangs_on_every_parser() -> None:
    found = reached(["models.data.capture"])
    assert {f"drivers.{nic}" for nic in ("atheros", "esp32", "feitcsi", "intel5300", "nexmon")} <= found


def test_nothing_of_serving_is_reached() -> None:
    assert not [name for name in modules_of(FEW, "auto") if name.startswith("service")]


def test_the_digest_is_that_of_the_text_of_these_modules_alone(tmp_path: Path) -> None:
    package = tmp_path / "models" / "signal"
    package.mkdir(parents=True)
    for name in ("__init__", "window", "voting"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
    asked = ["models.signal", "models.signal.window"]
    before = code_in(tmp_path)(asked)
    (package / "voting.py").write_text("", encoding="utf-8")
    assert code_in(tmp_path)(asked) == before
    (package / "window.py").write_text("", encoding="utf-8")
    assert code_in(tmp_path)(asked) != before
    (package / "window.py").write_text("NAME = 'window'\n", encoding="utf-8")
    assert code_in(tmp_path)(asked) == before


def survey() -> Row:
    return next(row for row in ROWS if row.name == "simulated-places-room10-new")


def code(modules: Collection[str]) -> str:
    return str(len(modules))


def test_only_methods_whose_answer_does_not_hold_are_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, path = survey(), tmp_path / f"{compare.PREFIX}{survey().name}.json"
    keys = compare.keys_of(row, Path("anywhere"), code)
    assert {"auto", "pooled", "target_only", "two_covariance"} <= set(keys)
    assert len(set(keys.values())) > 1
    held = {name: {"mean": 0.5, "sd": 0.0, "cpu_s": 1.0, "key": key} for name, key in keys.items()}
    held["auto"]["key"], held["gone"] = "of other code", held["pooled"]
    path.write_text(json.dumps({"metric": "accuracy", "turns": 3, "methods": held}), encoding="utf-8")
    assert compare.missing(row, Path("anywhere"), tmp_path, code=code) == ["auto"]

    def answered(_asked: object, _row: Row, wanted: Collection[str], _progress: object) -> dict[str, Any]:
        return {name: {"silent": "too few rows"} for name in wanted}

    monkeypatch.setattr(compare, "study", lambda *_words: None)
    monkeypatch.setattr(compare, "_answered", answered)
    done = compare.compared(row, Path("anywhere"), tmp_path, code=code, progress=lambda _what, _share: None)
    assert done.startswith(f"1 of {len(keys)} methods")
    told = json.loads(path.read_text(encoding="utf-8"))["methods"]
    assert told["auto"] == {"silent": "too few rows", "key": keys["auto"]}
    assert {name: told[name] for name in keys if name != "auto"} == {
        name: held[name] for name in keys if name != "auto"
    }
    assert "gone" not in told
    assert compare.missing(row, Path("anywhere"), tmp_path, code=code) == []


def test_what_cannot_be_told_is_named_with_its_reason(tmp_path: Path) -> None:
    found = CliRunner().invoke(
        app, ["--stale", "--only", "presence-ab", "--datasets", str(tmp_path / "none")]
    )
    assert found.exit_code == 0
    assert found.output.startswith("presence-ab: data set")
