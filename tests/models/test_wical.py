"""Feature rows of four links: what a day changes is a gain, and the learner does not see it."""

from pathlib import Path

import numpy as np
import pytest

from models.data import wical
from models.data.registry import dataset_of
from models.data.samples import Samples
from models.errors import DatasetError
from models.learners import learner
from models.training.evaluate import Question, evaluate


def made(folder: Path, each: int = 30) -> Path:
    """Two sessions; the class moves the spread of each link, the day its gain."""
    folder.mkdir()
    for session in (1, 2):
        rng = np.random.default_rng(session)
        gain = rng.uniform(0.5, 2.0, (1, 4, 1, 1))
        for ending, count, statistics, terms in (("count", 4, 7, 14), ("section", 3, 6, 11)):
            label = np.repeat(np.arange(count), each)
            mean = 10 + rng.standard_normal((len(label), 4, 1, 13))
            spread = 0.5 + 0.5 * label[:, None, None, None] * np.array([1, 0.5, 2, 1])[:, None, None]
            around = np.array([1, -1, 1, -0.7, 0.7, 0, 1.4])[:statistics, None]
            rows = np.abs(mean * (np.arange(statistics) > 0)[:, None] + spread * around) * gain
            rows = rows * np.exp(0.02 * rng.standard_normal(rows.shape))
            more = rng.standard_normal((len(label), 4, terms))
            features = np.concatenate([rows.reshape(len(label), 4, -1), more], axis=2)
            np.savez(
                folder / f"hut_sess{session}_{ending}.npz",
                features=features.reshape(len(label), -1).astype(np.float32),
                label=label.astype(np.int8),
            )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("wical") / "rows")


def load(data: Path, task: str = "counting", session: int = 1) -> Samples:
    return wical.load(data, task, [f"hut_sess{session}"])


def test_domains_go_by_the_files_name_with_or_without_its_ending(data: Path) -> None:
    assert dataset_of(data).NAME == "wical"
    assert len(load(data)) == len(wical.load(data, "counting", ["hut_sess1_count"])) == 120
    assert load(data, "localization").classes == ("0", "1", "2")


def test_the_gain_of_a_link_changes_no_answer(data: Path) -> None:
    samples = load(data)
    model = learner("gain_free_lda").fit(samples, 0)
    louder = dict(samples.inputs)
    louder[wical.SIZES] = samples.inputs[wical.SIZES] * np.array([2.0, 0.6, 1.5, 1.0])[:, None, None]
    assert np.abs(model.predict(louder) - model.predict(samples.inputs)).max() < 0.1


@pytest.mark.parametrize(("task", "name"), [("counting", "gain_free_lda"), ("localization", "link_views")])
def test_another_day_is_judged(data: Path, task: str, name: str) -> None:
    document = evaluate(Question(task, data, "hut_sess1", "hut_sess2", seeds=1)).document
    assert document["learner"] == name
    metrics, simple = document["metrics"], document["baselines"]
    assert metrics["accuracy"]["mean"] > 0.8  # type: ignore[index,call-overload,operator]
    assert set(simple) >= {"majority", "lda", "knn", "random_network"}  # type: ignore[arg-type]


def test_only_some_classes(data: Path) -> None:
    found = wical.load(data, "counting", ["hut_sess1"], classes=["0", "1"])
    assert set(found.label.tolist()) == {0, 1}
    with pytest.raises(DatasetError, match="none of the classes 9"):
        wical.load(data, "counting", ["hut_sess1"], classes=["9"])


def test_what_is_wrong_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown domain 'hut_sess3'"):
        wical.load(data, "counting", ["hut_sess3"])
    np.savez(tmp_path / "a_sess1_count.npz", features=np.zeros((3, 40)), label=np.zeros(3, int))
    with pytest.raises(DatasetError, match="rows of 40 numbers"):
        wical.load(tmp_path, "counting", ["a_sess1"])
    with pytest.raises(DatasetError, match="holds no file"):
        wical.domains(tmp_path, "localization")


@pytest.mark.shared
def test_counting_on_another_day_of_the_real_set(datasets: Path) -> None:
    question = Question(
        "counting", datasets / "wical_counting_esp", "small_room_sess1", "small_room_sess2", seeds=1
    )
    metrics = evaluate(question).document["metrics"]
    assert metrics["accuracy"]["mean"] > 0.5  # type: ignore[index,call-overload,operator]
