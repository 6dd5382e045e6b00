"""Support in each data set, by its own rule, through `evaluate`, and places of other sites."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from models.data import device_loc, dfl, har
from models.data.samples import PLAIN, Samples, rows
from models.errors import SelectionError
from models.training import cli_evaluate
from models.training.evaluate import Question, Turn, among, evaluate, turns
from models.training.folds import DRAWS
from models.training.problem import study
from models.training.sites import placed
from models.training.task import task_spec

from . import clips

PLACES, ROWS = 3, 24


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts each of two sites; numbers of places are the same, places are not."""
    folder = tmp_path_factory.mktemp("dfl")
    bend = np.sin(np.outer(np.arange(1, 7), np.linspace(0, np.pi, 30)))
    for site, experiment in enumerate(("EXP8", "EXP9")):
        shape = np.random.default_rng(site).standard_normal((PLACES, 4, 6)) @ bend
        for part in (1, 2):
            rng = np.random.default_rng(10 * site + part)
            label = rng.permutation(np.repeat(np.arange(PLACES), ROWS))
            bent = np.exp(0.2 * shape[label] + 0.05 * rng.standard_normal((len(label), 4, 30)))
            amplitude = (15 * bent).reshape(-1, 120).astype(np.float32)
            np.savez(folder / f"{experiment}_sub{part}.npz", amplitude=amplitude, location=label)
    return folder


def asked(data: Path, **more: Any) -> Question:
    given = {
        "source": "EXP8_sub1",
        "target": "EXP9_sub2",
        "support": "EXP9_sub1:3",
        "seeds": 1,
        "method": "pooled",
    }
    return Question("localization", data, **{**given, **more})


def quiet(_what: str, _share: float | None) -> None:
    """Progress that nobody watches."""


def test_places_of_another_site_are_classes_of_their_own(links: Path) -> None:
    fold = study(asked(links), quiet).folds(0)[0]
    assert fold.spec.classes == ("0", "1", "2")
    assert fold.query.classes == ("0", "1", "2", "EXP8/0", "EXP8/1", "EXP8/2")
    assert fold.foreign
    assert fold.source.label.min() == 3
    assert max(fold.query.label.max(), fold.support.label.max() if fold.support else 9) == 2


def test_a_source_of_both_sites_keeps_what_it_knows_of_the_targets(links: Path) -> None:
    fold = study(asked(links, source="EXP8_sub1,EXP9_sub1"), quiet).folds(0)[0]
    assert not fold.foreign
    assert set(fold.source.label[fold.source.domain == "EXP9_sub1"]) == {0, 1, 2}
    assert set(fold.source.label[fold.source.domain == "EXP8_sub1"]) == {3, 4, 5}


def test_another_site_is_learned_from_its_support_and_none_does_not_stand_beside(links: Path) -> None:
    told: Any = evaluate(asked(links)).document
    assert told["classes"] == ["0", "1", "2"]
    assert {"target_only", "pooled", "head_only", "frozen_random"} <= set(told["baselines"])
    assert not {"none", "standardised", "lda", "knn", "random_network"} & set(told["baselines"])
    assert told["baselines"]["target_only"]["accuracy"]["mean"] > 0.9
    assert told["metrics"]["accuracy"]["mean"] > 0.9
    assert told["target_used"]["source_of_another_site"] is True


def test_figures_of_shuffled_rows_are_the_mean_of_ten_draws_with_the_first_rows_beside(links: Path) -> None:
    whole = study(asked(links, method="target_only"), quiet)
    single = [evaluated(whole.folds(0, draw)[0], whole) for draw in (*range(DRAWS), None)]
    told: Any = evaluate(asked(links, method="target_only")).document
    assert told["metrics"]["accuracy"]["mean"] == pytest.approx(np.mean(single[:DRAWS]), abs=1e-4)
    assert told["metrics"]["accuracy"]["sd"] == pytest.approx(np.std(single[:DRAWS]), abs=1e-4)
    assert told["first_k"]["accuracy"]["mean"] == pytest.approx(single[DRAWS], abs=1e-4)
    assert told["target_used"]["draws"] == DRAWS


def evaluated(fold: Any, whole: Any) -> float:
    found = among(whole.learner.methods()["target_only"](fold, None, 0), fold.spec)
    return float((found.argmax(axis=1) == fold.query.label).mean())


def test_draws_take_turns_with_seeds() -> None:
    assert turns((None,), 2) == [Turn(0), Turn(1)]
    drawn = turns(range(10), 3)
    assert sorted(one.draw for one in drawn if one.draw is not None) == list(range(10))
    assert all(one.draw % 3 == one.seed for one in drawn if one.draw is not None)
    assert [one.seed for one in drawn if one.beside] == [0, 1, 2]


def test_the_query_of_shuffled_rows_changes_with_the_draw_from_the_same_file(links: Path) -> None:
    whole = study(asked(links, support="EXP9_sub2:2"), quiet)
    for draw in range(3):
        fold = whole.folds(0, draw)[0]
        assert fold.support is not None
        assert not set(fold.support.start_s) & set(fold.query.start_s)
        assert fold.left_out + len(fold.query) + len(fold.support) == PLACES * ROWS


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"support": None}, "shows no place of the target's site"),
        ({"method": "none"}, "of another site"),
        ({"support": "EXP8_sub2:3"}, "support of another site"),
        ({"support": "EXP9_sub1:3s"}, "have no time"),
    ],
)
def test_what_another_site_cannot_answer_is_refused(links: Path, more: dict[str, Any], why: str) -> None:
    with pytest.raises(SelectionError, match=why):
        evaluate(asked(links, **more))


def test_the_header_says_what_of_the_target_was_used(links: Path) -> None:
    words = [
        "localization",
        "--data",
        str(links),
        "--source",
        "EXP9_sub1",
        "--target",
        "EXP9_sub2",
        "--seeds",
        "1",
    ]
    support = ["--support", "EXP9_sub2:2", "--transductive", "--method", "pooled"]
    plain = CliRunner().invoke(cli_evaluate.app, words).stdout
    assert "EXP9_sub1 -> EXP9_sub2, no target data" in plain
    told = CliRunner().invoke(cli_evaluate.app, [*words, *support]).stdout
    assert "6 labelled rows of EXP9_sub2 (3 classes), drawn 10 times" in told
    assert "judged rows without their labels" in told
    assert "rows near the support are not judged" in told
    assert "the same, first_k" in told
    document = json.loads(CliRunner().invoke(cli_evaluate.app, [*words, *support, "--json"]).stdout)
    assert document["target_used"]["labelled"] == {"EXP9_sub2": {"rows": 6, "classes": 3}}
    assert document["target_used"]["unlabelled_query_rows"] == document["n_units"]


def test_still_clips_lend_their_first_ten_and_are_judged_from_the_eleventh(tmp_path: Path) -> None:
    data = clips.dataset(tmp_path / "har", each=14)
    question = Question(
        "activity",
        data,
        "attic_Ann,attic_Bob",
        "cellar_Ann,cellar_Bob",
        support="cellar_Ann:2,cellar_Bob:1",
        classes=("lying", "jump", "walking"),
        seeds=1,
    )
    fold = study(question, quiet).folds(0)[0]
    assert fold.support is not None
    for domain, lent in (("cellar_Ann", 2), ("cellar_Bob", 1)):
        for label, first in ((0, 11), (1, lent + 1), (2, lent + 1)):
            ours = fold.query.start_s[(fold.query.domain == domain) & (fold.query.label == label)]
            assert sorted(ours) == list(range(first, 15))
            theirs = fold.support.start_s[(fold.support.domain == domain) & (fold.support.label == label)]
            assert sorted(theirs) == list(range(1, lent + 1))
    samples = har.load(data, "activity", ["attic_Ann"], classes=("lying", "jump", "walking"))
    assert sorted(samples.start_s[~har.lends(samples)]) == [11, 12, 13, 14]


def test_one_packet_a_point_leaves_the_whole_first_period_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for day in (2, 3):
        location = np.tile(np.repeat(np.arange(1, 9), 4), 3)
        np.savez(
            tmp_path / f"d{day:02d}.npz",
            csi_int8=rng.integers(-90, 90, (len(location), 30, 3, 2, 2)).astype(np.int8),
            period=np.repeat([1, 2, 3], 32),
            location=location,
        )
    question = Question("localization", tmp_path, "d02", "d03", support="d03:1", seeds=1)
    fold = study(question, quiet).folds(0)[0]
    assert fold.support is not None
    assert np.bincount(fold.support.label).tolist() == [1] * 8
    assert set(fold.support.block) == {"d03/p1"}
    assert set(fold.query.block) == {"d03/p2", "d03/p3"}
    assert device_loc.site("d02") == device_loc.site("d03")


def test_both_query_and_support_can_be_looked_at_without_labels(links: Path) -> None:
    fold = study(asked(links, transductive=True), quiet).folds(0)[0]
    assert fold.unlabelled is fold.query
    assert fold.support is not None
    alone = study(asked(links), quiet).folds(0)[0]
    assert alone.unlabelled is alone.support


def test_labels_of_metres_and_of_other_tasks_are_left_as_they_are() -> None:
    def one(task: str, domain: str, label: np.ndarray, names: tuple[str, ...]) -> Samples:
        return rows(task, {PLAIN: np.zeros((len(label), 2))}, label, names, domain=domain)

    counts = Samples.join([one("counting", name, np.arange(2), ("0", "1")) for name in "AB"])
    every = np.ones(4, np.bool_)
    assert placed(counts, ["B"], str, every).native.all()
    metres = Samples.join([one("localization", name, np.zeros((2, 2)), ()) for name in "AB"])
    found = placed(metres, ["B"], str, every)
    assert (found.native.tolist(), found.classes) == ([False, False, True, True], 0)
    with pytest.raises(SelectionError, match="not on one map"):
        placed(metres, ["A", "B"], str, every)


def test_answers_are_cut_to_the_places_of_the_target() -> None:
    spec = task_spec("localization", ("0", "1"))
    found = among(np.array([[0.2, 0.1, 0.7], [0.0, 0.0, 1.0]]), spec)
    assert np.allclose(found, [[2 / 3, 1 / 3], [0.5, 0.5]], atol=1e-6)


def test_sites_are_experiments() -> None:
    assert dfl.site("EXP3-r1_sub1") == dfl.site("EXP3-r1_sub2") != dfl.site("EXP2_sub1")
