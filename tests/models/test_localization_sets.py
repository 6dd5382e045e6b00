"""Places from fingerprints: of links, of antennas of a moved device, and in metres."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from models.data import device_loc, dfl, metric
from models.data.registry import dataset_of
from models.data.samples import Samples
from models.errors import DatasetError, SelectionError
from models.learners import learner
from models.learners.fingerprint.antennas import level, steps, stream_products
from models.learners.fingerprint.choice import USUAL, best_pairs
from models.learners.fingerprint.links import views
from models.learners.fingerprint.states import StateLda
from models.training.evaluate import Question, evaluate

PLACES = 4


def figures(question: Question) -> tuple[dict[str, float], dict[str, Any]]:
    document: Any = evaluate(question).document
    means = {name: one["mean"] for name, one in document["metrics"].items()}
    return means, document["baselines"]


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts: each place bends the links its own way, each part has its own gains and tilts."""
    folder = tmp_path_factory.mktemp("dfl")
    shape = np.random.default_rng(0).standard_normal((PLACES, 4, 6)) @ np.sin(
        np.outer(np.arange(1, 7), np.linspace(0, np.pi, 30))
    )
    for part in (1, 2):
        rng = np.random.default_rng(part)
        label = np.repeat(np.arange(PLACES), 40)
        bent = np.exp(0.15 * shape[label] + 0.05 * rng.standard_normal((len(label), 4, 30)))
        drift = 0.1 * rng.standard_normal((4, 1)) + 0.1 * rng.standard_normal((4, 1)) * np.linspace(-1, 1, 30)
        amplitude = 15 * bent * np.exp(drift) * rng.uniform(0.5, 2, (len(label), 1, 1))
        order = rng.permutation(len(label))
        np.savez(
            folder / f"EXP9_sub{part}.npz",
            amplitude=amplitude.reshape(-1, 120)[order].astype(np.float32),
            location=label[order].astype(np.int16),
        )
    return folder


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days of two periods: antennas lag by the point, drift by the log, quarter turns by the packet."""
    folder = tmp_path_factory.mktemp("device_loc")
    rng = np.random.default_rng(0)

    def random(*size: int) -> np.ndarray:
        return rng.standard_normal(size) + 1j * rng.standard_normal(size)

    ramp = np.exp(-2j * np.pi * np.outer(np.arange(30), [0.0, 0.05, 0.1]))
    room = np.einsum("kd,drt->krt", ramp, random(3, 3, 2))
    lag = rng.uniform(-0.08, 0.08, (8, 1, 3, 1)) * np.arange(30)[:, None, None]
    points = room * np.exp(2j * np.pi * lag)
    for day in range(2, 7):
        packets: dict[str, list[np.ndarray]] = {"csi_int8": [], "period": [], "location": []}
        for period, point in [(period, point) for period in (1, 2) for point in range(8)]:
            log = points[point] + 0.3 * np.einsum("kd,drt->krt", ramp, random(3, 3, 2))
            turned = log * 1j ** rng.integers(0, 4, (6, 1, 3, 1)) + 0.1 * random(6, 30, 3, 2)
            parts = 12 * np.stack([turned.real, turned.imag], axis=-1)
            packets["csi_int8"].append(parts.round().clip(-128, 127))
            packets["period"].append(np.full(6, period))
            packets["location"].append(np.full(6, point + 1))
        made: dict[str, Any] = {
            name: np.concatenate(value).astype(np.int8) for name, value in packets.items()
        }
        np.savez(folder / f"d{day:02d}.npz", **made)
    return folder


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of places and six access points whose level falls with the distance."""
    folder = tmp_path_factory.mktemp("metric")
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(0, 4, 0.5), np.arange(0, 4, 0.5)), -1).reshape(-1, 2)
    points = rng.uniform(-1, 5, (6, 2))
    far = np.linalg.norm(grid[:, None] - points, axis=2)
    level = -1.5 * np.log(far + 0.5)[:, :, None] + 0.1 * rng.standard_normal((len(grid), 6, 21))
    place = np.repeat(np.arange(len(grid)), 5)
    amplitude = level[place] + 0.02 * rng.standard_normal((len(place), 6, 21))
    np.savez(
        folder / "hut.npz", amplitude=amplitude.astype(np.float16), position_m=grid[place].astype(np.float32)
    )
    return folder


def test_each_layout_is_told_by_its_arrays(links: Path, days: Path, floor: Path) -> None:
    assert [dataset_of(one).NAME for one in (links, days, floor)] == ["dfl", "device_loc", "metric"]
    assert dfl.site("EXP3-r1_sub2") == "EXP3-r1"


def test_the_level_of_a_packet_is_not_seen(links: Path) -> None:
    samples = dfl.load(links, "localization", ["EXP9_sub1"])
    louder = views({dfl.AMPLITUDE: 3 * samples.inputs[dfl.AMPLITUDE]})
    for name, rows in views(samples.inputs).items():
        assert np.allclose(rows, louder[name])


def test_a_persons_place_carries_to_another_part(links: Path) -> None:
    found, simple = figures(Question("localization", links, "EXP9_sub1", "EXP9_sub2", seeds=1))
    assert found["accuracy"] > 0.9
    assert set(simple) >= {"majority", "lda", "knn", "random_network"}


def test_places_stay_apart_in_every_state_of_the_channel() -> None:
    """Clouds in a row, places by turns: one Gaussian a place cannot part them."""
    rng = np.random.default_rng(0)
    label, state = rng.integers(0, 2, 600), rng.integers(0, 3, 600)
    rows = 0.5 * rng.standard_normal((600, 4))
    rows[:, 0] += np.array([0.0, 9.0, 20.0])[state] + 3 * label
    rows[:, 1] += np.where(state == 1, -4, 2) * label
    model = StateLda(3, 0).fit(rows[:300], label[:300])
    assert (model.predict_proba(rows[300:]).argmax(axis=1) == label[300:]).mean() > 0.98
    plain = LinearDiscriminantAnalysis().fit(rows[:300], label[:300])
    assert plain.score(rows[300:], label[300:]) < 0.9


def test_what_carries_to_unseen_states_is_chosen() -> None:
    """One view tells the place by what the state of the channel shifts, the other by what it leaves alone."""
    rng = np.random.default_rng(0)
    label, state = np.repeat(np.arange(2), 300), rng.integers(0, 8, 600)
    shifted = rng.standard_normal((600, 3)) + 40 * rng.standard_normal((8, 3))[state]
    firm = 0.3 * rng.standard_normal((600, 3)) + label[:, None]
    views_of = {"values": shifted, "firm": firm}
    chosen = best_pairs(views_of, label, 0, lambda _share: None)
    assert {view for view, _ in chosen} == {"firm"}
    few = np.arange(0, 600, 20)
    some = {name: rows[few] for name, rows in views_of.items()}
    assert best_pairs(some, label[few], 0, lambda _share: None) == list(USUAL)


def test_products_of_streams_and_steps_do_not_see_quarter_turns(days: Path) -> None:
    channel = level(device_loc.load(days, "localization", ["d02"]).inputs[device_loc.CHANNEL])
    turns = 1j ** np.random.default_rng(1).integers(0, 4, (len(channel), 1, 3, 1))
    turned = (channel * turns).astype(np.complex64)
    assert np.allclose(stream_products(channel), stream_products(turned), atol=1e-5)
    assert np.allclose(steps(channel), steps(turned), atol=1e-5)


def test_a_log_is_one_unit_and_a_period_one_block(days: Path) -> None:
    samples = device_loc.load(days, "localization", ["d02", "d03"])
    assert len(np.unique(samples.unit)) == 2 * 2 * 8
    assert set(samples.block.tolist()) == {"d02/p1", "d02/p2", "d03/p1", "d03/p2"}
    assert samples.pooling == "log"
    assert np.allclose((np.abs(samples.inputs[device_loc.CHANNEL]) ** 2).mean(axis=(1, 2, 3)), 1, atol=1e-3)


def test_a_devices_point_carries_to_another_day(days: Path) -> None:
    found, simple = figures(Question("localization", days, "d02,d03,d04,d05", "d06", seeds=1))
    assert found["accuracy"] >= 0.8
    assert simple["lda"]["accuracy"]["mean"] < 0.6
    assert found["ece"] < 0.4


def test_places_never_stood_at_are_filled_in(floor: Path) -> None:
    found, simple = figures(Question("localization", floor, "hut", leave_out="position", seeds=1))
    assert found["mean_m"] < 0.35
    assert found["mean_m"] < simple["knn"]["mean_m"]["mean"]
    assert 0.45 < found["within_sigma"] < 0.9


def test_one_class_of_support_is_refused(links: Path, days: Path) -> None:
    for module, folder, name in ((dfl, links, "EXP9_sub1"), (device_loc, days, "d02")):
        samples: Samples = module.load(folder, "localization", [name])
        with pytest.raises(SelectionError, match="one class"):
            learner(module.LEARNERS["localization"]).fit(samples.take(samples.label == 1), 0)


def test_a_few_rows_of_two_places_are_enough(links: Path) -> None:
    samples = dfl.load(links, "localization", ["EXP9_sub1"])
    rows = np.concatenate([np.flatnonzero(samples.label == one)[:2] for one in (1, 3)])
    found = learner("link_fingerprints").fit(samples.take(rows), 0).predict(samples.inputs)
    assert set(found.argmax(axis=1).tolist()) == {1, 3}
    assert np.allclose(found.sum(axis=1), 1)


def test_a_map_needs_places_in_metres(links: Path, floor: Path) -> None:
    radio_map = learner("radio_map")
    with pytest.raises(SelectionError, match="classes"):
        radio_map.fit(dfl.load(links, "localization", ["EXP9_sub1"]), 0)
    samples = metric.load(floor, "localization", ["hut"])
    with pytest.raises(SelectionError, match="5 places or more; there are 2"):
        radio_map.fit(samples.take(np.arange(10)), 0)


def test_classes_can_be_chosen_and_must_be_there(links: Path, floor: Path) -> None:
    chosen = dfl.load(links, "localization", ["EXP9_sub1"], classes=["0", "2"])
    assert set(chosen.label.tolist()) == {0, 2}
    with pytest.raises(DatasetError, match="class '9' of EXP9_sub1 is empty: there are 0, 1, 2, 3"):
        dfl.load(links, "localization", ["EXP9_sub1"], classes=["9"])
    with pytest.raises(DatasetError, match="no classes"):
        metric.load(floor, "localization", ["hut"], classes=["0"])


@pytest.mark.parametrize(
    ("module", "name", "arrays", "message"),
    [
        (
            dfl,
            "A_b",
            {"amplitude": np.full((3, 120), np.nan), "location": np.zeros(3, int)},
            "row 0 holds NaN",
        ),
        (dfl, "A_b", {"amplitude": np.ones((3, 90)), "location": np.zeros(3, int)}, r"\(120,\) are expected"),
        (dfl, "A_b", {"amplitude": -np.ones((3, 120)), "location": np.zeros(3, int)}, "negative"),
        (dfl, "A_b", {"amplitude": np.ones((3, 120))}, "lacks location"),
        (metric, "hut", {"amplitude": np.ones((3, 9)), "position_m": np.ones((3, 2))}, "access point"),
        (metric, "hut", {"amplitude": np.ones((3, 9, 49)), "position_m": np.ones((3, 3))}, "position_m is"),
        (
            device_loc,
            "d07",
            {"csi_int8": np.ones((1, 30, 3, 2, 2)), "period": np.ones(1), "location": np.full(1, 9)},
            "none of 1 to 8",
        ),
        (
            device_loc,
            "d07",
            {"csi_int8": np.ones((1, 56, 3, 2, 2)), "period": np.ones(1), "location": np.ones(1)},
            r"\(30, 3, 2, 2\) are expected",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, module: Any, name: str, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / f"{name}.npz", **arrays)
    with pytest.raises(DatasetError, match=message):
        module.load(tmp_path, "localization", [name])
    with pytest.raises(DatasetError, match="unknown domain 'nowhere'"):
        module.load(tmp_path, "localization", ["nowhere"])


@pytest.mark.parametrize("module", [dfl, device_loc, metric])
def test_an_empty_folder_is_named(tmp_path: Path, module: Any) -> None:
    assert not module.recognises(tmp_path)
    with pytest.raises(DatasetError, match="holds no"):
        module.domains(tmp_path, "localization")


def test_access_points_must_be_the_same_everywhere(tmp_path: Path) -> None:
    for name, points in (("one", 4), ("two", 5)):
        np.savez(tmp_path / f"{name}.npz", amplitude=np.ones((3, points, 20)), position_m=np.ones((3, 2)))
    with pytest.raises(DatasetError, match="differ in access points"):
        metric.load(tmp_path, "localization", ["one", "two"])


@pytest.mark.shared
@pytest.mark.usefixtures("alone")
def test_metres_on_the_real_floor(datasets: Path) -> None:
    data = datasets / "device_loc_metric_nexmon"
    found, _ = figures(Question("localization", data, "research_laboratory", leave_out="position", seeds=1))
    assert found["mean_m"] < 0.55


@pytest.mark.shared
@pytest.mark.usefixtures("alone")
def test_points_of_the_real_experiment(datasets: Path, tmp_path: Path) -> None:
    """Of every third row, which are enough."""
    for part in ("EXP3-r1_sub1", "EXP3-r1_sub2"):
        with np.load(datasets / "dfl_fingerprints_4links" / f"{part}.npz") as whole:
            np.savez(tmp_path / f"{part}.npz", **{name: rows[::3] for name, rows in whole.items()})
    some = tuple("01234567")
    found, _ = figures(
        Question("localization", tmp_path, "EXP3-r1_sub1", "EXP3-r1_sub2", classes=some, seeds=1)
    )
    assert found["accuracy"] > 0.93


@pytest.mark.shared
@pytest.mark.usefixtures("alone")
def test_points_of_the_real_office_on_later_days(datasets: Path) -> None:
    data = datasets / "device_loc_27days_5300"
    found, _ = figures(Question("localization", data, "d16,d17,d18", "d19", seeds=1))
    assert found["accuracy"] > 0.8
