"""Simulated rooms as a data set, ranges of domains, and walks that are judged after voting too."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from models.data import simulated
from models.data.classes import only_classes, over_all_classes
from models.data.registry import dataset_of, digest_of
from models.data.samples import STRETCH, Samples, rows
from models.errors import DatasetError, SelectionError
from models.figures.rows import ROWS, SIMULATION
from models.figures.run import key_of, question_of
from models.learners import neural
from models.tasks.localization import NOBODY
from models.training import cli_evaluate, judge
from models.training.judge import bootstrap
from models.training.metrics import class_metrics
from models.training.ranges import expanded
from models.training.selection import Part, parse_selection
from models.training.sources import from_folder
from models.training.task import task_spec
from models.training.walks import joined, voted, walk_intervals, walk_metrics

WORD = Path("simulation")
run = CliRunner().invoke


@pytest.fixture(scope="module")
def walks() -> Samples:
    return simulated.load(WORD, "suspicious_object", ["room03", "room01"])


def test_the_word_is_the_simulation_unless_a_folder_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dataset_of(WORD).NAME == "simulation"
    monkeypatch.chdir(tmp_path)
    WORD.mkdir()
    with pytest.raises(DatasetError, match="laid out like none"):
        dataset_of(WORD)


def test_a_room_is_the_same_whichever_others_are_asked_for(walks: Samples) -> None:
    assert dict.fromkeys(walks.domain.tolist()) == {"room03": None, "room01": None}
    alone = simulated.load(WORD, "suspicious_object", ["room01"])
    again = walks.take(walks.domain == "room01")
    assert np.array_equal(alone.features, again.features)
    assert alone.session.tolist() == again.session.tolist()
    assert not np.array_equal(alone.features[0], walks.features[0])


def test_every_walk_knows_when_it_was(walks: Samples) -> None:
    middle = walks.inputs[STRETCH].mean(axis=1)
    assert (walks.start_s <= middle).all()
    assert (middle < walks.start_s + walks.length_s).all()
    assert len(np.unique(walks.session)) == 48


def test_presence_counting_and_activity_are_simulated_by_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "SECONDS", 6.0)
    counted = simulated.load(WORD, "counting", ["room00"], classes=["0", "2"])
    assert counted.classes == ("0", "2")
    assert set(counted.session) == {"room00/0p", "room00/2p"}
    there = simulated.load(WORD, "presence", ["room00"])
    assert there.classes == ("vacant", "occupied")
    empty = there.session == "room00/0p"
    assert (there.label[empty] == 0).all()
    assert (there.label[~empty] == 1).all()
    acted = simulated.load(WORD, "activity", ["room00"])
    assert set(acted.domain) == {"room00"}
    assert "walking" in acted.classes


def test_cells_are_classes_of_their_own_in_each_room() -> None:
    found = simulated.load(WORD, "localization", ["room00-d1", "room01-d0"])
    assert set(found.domain) == {"room00-d1", "room01-d0"}
    seen = {
        domain: {found.classes[one] for one in found.label[found.domain == domain]} for domain in found.domain
    }
    assert seen["room00-d1"] & seen["room01-d0"] == {NOBODY}
    assert found.classes[-1] == NOBODY
    assert simulated.site("room00-d1") == "room00"


@pytest.mark.parametrize(("task", "name"), [("counting", "room100"), ("localization", "room00")])
def test_a_room_that_is_not_there_is_named(task: str, name: str) -> None:
    with pytest.raises(DatasetError, match=f"no simulated '{name}'"):
        simulated.load(WORD, task, [name])


def test_the_digest_says_simulation_and_depends_on_the_rooms() -> None:
    one, two = (
        digest_of(dataset_of(WORD), WORD, "activity", names) for names in (["room00"], ["room00", "room01"])
    )
    assert one.startswith("simulation:")
    assert one != two


def test_training_is_sent_to_its_own_option() -> None:
    with pytest.raises(SelectionError, match="--simulation"):
        from_folder(WORD, "activity", "local", "mine", lambda _what, _share: None)


def test_rows_of_some_classes_and_classes_of_all_parts() -> None:
    def part(names: tuple[str, ...]) -> Samples:
        label = np.arange(len(names))
        return rows("activity", {"plain": np.zeros((len(names), 1))}, label, names, domain=names[0])

    whole = over_all_classes([part(("a", "end")), part(("b", "a", "end"))], last="end")
    assert whole.classes == ("a", "b", "end")
    assert whole.label.tolist() == [0, 2, 1, 0, 2]
    assert only_classes(whole, ["end", "a"]).label.tolist() == [1, 0, 1, 0]
    with pytest.raises(DatasetError, match="class 'c' of activity is empty"):
        only_classes(whole, ["c"])


def test_a_range_is_all_from_one_to_the_other_in_the_order_of_the_data() -> None:
    order = ["d01", "d10", "d02", "d03", "x..y"]
    found = expanded(parse_selection("d10..d03:0s-9s,d01,x..y"), order, "DIR")
    names = [part.domain for part in found]
    assert names == ["d10", "d02", "d03", "d01", "x..y"]
    assert found[1] == Part("d02", 0.0, 9.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("d00..d02", "no domain 'd00' in DIR"),
        ("d01..", "no domain ''"),
        ("d02..d01", "'d01' comes before"),
    ],
)
def test_a_range_that_is_none_is_told(text: str, why: str) -> None:
    with pytest.raises(SelectionError, match=why):
        expanded(parse_selection(text), ["d01", "d02"], "DIR")


def windows(labels: list[int]) -> tuple[Samples, np.ndarray]:
    """Walks of five windows each: those in the middle are right, the others wrong."""
    label = np.repeat(labels, 5)
    start = np.tile(np.arange(5.0), len(labels))
    session = np.repeat([f"w{number}" for number in range(len(labels))], 5)
    stretch = np.tile([0.0, 8.0], (len(label), 1))
    query = rows(
        "suspicious_object",
        {STRETCH: stretch},
        label,
        ("none", "metal"),
        domain="gate",
        session=session,
        start_s=start,
        length_s=4.0,
    )
    right = np.where(np.isin(start, (1, 2, 3)), 0.9, 0.0)
    return query, np.stack([np.where(label == one, right, 1 - right) for one in (0, 1)], axis=1)


def test_walks_are_voted_on_as_in_service() -> None:
    query, found = windows([0, 1, 1])
    answer = joined([voted(query, found)])
    assert answer is not None
    assert answer.label.tolist() == [0, 1, 1]
    spec = task_spec("suspicious_object", query.classes)
    figures = walk_metrics(spec, answer)
    assert figures["walk_accuracy"] == 1.0
    assert walk_intervals(spec, answer)["walk_accuracy"] == (1.0, 1.0)
    assert class_metrics(found, query.label)["accuracy"] == pytest.approx(3 / 5)
    bare = rows("activity", {}, np.array([0, 1]), ("a", "b"), domain="room")
    assert voted(bare, np.eye(2)) is None
    assert walk_metrics(spec, joined([None])) == {}


def test_sessions_of_one_block_are_drawn_among_each_other() -> None:
    label = np.array([0, 1] * 20)
    found = np.eye(2)[np.where(np.arange(40) < 20, label, 1 - label)]
    session = np.array([f"clip{number}" for number in range(40)])
    low, high = bootstrap(class_metrics, found, label, session, np.zeros(40))["accuracy"]
    assert 0.3 < low < 0.5 < high < 0.7


def test_evaluate_tells_windows_and_walks_and_says_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural, "EPOCHS", 2)
    monkeypatch.setattr(judge, "DRAWS", 40)
    words = ["suspicious_object", "--data", "simulation", "--source", "room01..room02"]
    words += ["--target", "room03", "--seeds", "1"]
    result = run(cli_evaluate.app, [*words, "--json"])
    assert result.exit_code == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["simulated"] is True
    assert told["trained_on"] == "simulation"
    assert told["data_digest"].startswith("simulation:")
    assert set(told["metrics"]) >= {"accuracy", "macro_f1", "walk_accuracy", "walk_macro_f1"}
    assert set(told["baselines"]["majority"]) == set(told["metrics"]) == set(told["interval95"])
    assert told["n_sessions"] == told["n_walks"] == np.sum(told["walk_confusion"]) == 24
    assert told["chance"] == pytest.approx(1 / 3, abs=1e-4)
    assert any("simulated" in words for words in told["warnings"])


def test_rows_of_the_page_ask_for_rooms_that_there_are() -> None:
    simulated_rows = [row for row in ROWS if row.data == SIMULATION]
    assert {row.task for row in simulated_rows} == {"suspicious_object", "activity", "localization"}
    for row in simulated_rows:
        assert question_of(row, Path("anywhere")).data == WORD
        assert len(key_of(row, Path("anywhere"), lambda _modules: "code", 3)) == 64
        assert row.command().startswith(f"roomtone evaluate {row.task} --data simulation --source room")
        asked = question_of(row, Path("anywhere"))
        assert (asked.support is None) == (asked.method == "auto")
