"""Activities from clips: features that know the movement and not the room, and figures from them."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.data import har
from models.data.registry import dataset_of
from models.errors import DatasetError
from models.learners import learner
from models.signal.clip_motion import VERSION, clip_motion
from models.training import cli_evaluate
from models.training.evaluate import Question, evaluate

from . import clips

run = CliRunner().invoke
KINDS = ("lying", "jump", "walking")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.dataset(tmp_path_factory.mktemp("har"))


@pytest.fixture
def moving() -> np.ndarray:
    rng = np.random.default_rng(0)
    return clips.clip(2, rng, np.ones((3, 30)))


def test_features_do_not_see_gain_or_a_phase_that_all_antennas_share(moving: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    gain = rng.uniform(0.5, 2, 200) * np.exp(1j * rng.uniform(0, 6, 200))
    other = moving * np.exp(2j) * 7
    assert np.allclose(clip_motion(moving), clip_motion(other), atol=1e-3)
    jittered = np.abs(clip_motion(moving) - clip_motion((moving * gain).astype(np.complex64)))
    assert jittered[: len(jittered) // 2].max() < 1e-3  # amplitudes, packet level removed


def test_more_movement_has_more_energy(moving: np.ndarray) -> None:
    still = clips.clip(0, np.random.default_rng(0), np.ones((3, 30)))
    assert clip_motion(moving)[0] > clip_motion(still)[0] + 1


@pytest.mark.parametrize("shape", [(1, 30, 200), (3, 30, 40)])
def test_a_clip_that_is_too_small_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="are needed"):
        clip_motion(np.ones(shape, np.complex64))


def test_the_layout_is_known_and_still_clips_share_a_session(data: Path) -> None:
    assert dataset_of(data).NAME == "har"
    samples = har.load(data, "activity", ["attic_Ann"], classes=KINDS)
    sessions = {kind: len(set(samples.session[samples.label == n])) for n, kind in enumerate(KINDS)}
    assert sessions == {"lying": 1, "jump": 6, "walking": 6}
    assert set(samples.person) == {"Ann"}
    assert samples.inputs[VERSION].shape[0] == 18


def test_another_room_and_another_person_are_judged(data: Path) -> None:
    words = ["activity", "--data", str(data), "--source", "attic_Ann,attic_Bob", "--seeds", "1", "--json"]
    words += ["--classes", ",".join(KINDS)]
    for more in (["--target", "cellar_Ann,cellar_Bob", "--transductive"], ["--leave-out", "person"]):
        result = run(cli_evaluate.app, [*words, *more])
        assert result.exit_code == 0, result.stderr
        told = json.loads(result.stdout)
        assert told["metrics"]["accuracy"]["mean"] > 0.9
        assert {"majority", "lda", "knn", "random_network"} <= set(told["baselines"])


def test_unlabelled_rows_are_used_only_when_asked(data: Path) -> None:
    samples = har.load(data, "activity", ["attic_Ann"], classes=KINDS)
    model = learner("clip_ensemble").fit(samples, 0)
    few = {name: value[:2] for name, value in samples.inputs.items()}
    assert np.allclose(model.predict(few), model.predict(samples.inputs)[:2])
    moved = {name: value + 5 for name, value in samples.inputs.items()}
    assert (model.adapted(moved).predict(moved).argmax(axis=1) == samples.label).all()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("lacks", "lacks scale"),
        ("nan", "that are no number"),
        ("bytes", "cannot read"),
        ("class", "is empty"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, harm: str, why: str) -> None:
    folder = clips.dataset(tmp_path / "d", each=2)
    path = folder / "attic_Ann.npz"
    arrays = dict(np.load(path))
    if harm == "lacks":
        del arrays["scale"]
    if harm == "nan":
        arrays["scale"][0] = np.nan
    np.savez(path, **arrays)
    if harm == "bytes":
        path.write_bytes(b"PK no archive")
    wanted = [*KINDS, "squat"] if harm == "class" else KINDS
    with pytest.raises(DatasetError, match=why):
        har.load(folder, "activity", ["attic_Ann"], classes=wanted)


@pytest.mark.shared
@pytest.mark.usefixtures("alone")
def test_one_person_left_out_of_the_real_set(datasets: Path) -> None:
    question = Question("activity", datasets / "har_two_rooms_5300", "meetingroom_Hhj,meetingroom_Zly",
                        leave_out="person", seeds=1)  # fmt: skip
    metrics = evaluate(question).document["metrics"]
    assert metrics["accuracy"]["mean"] > 0.65  # type: ignore[index,call-overload,operator]
