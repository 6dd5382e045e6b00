import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from typer.testing import CliRunner, Result

from models.data import crowd as dataset
from models.data.samples import PLAIN
from models.learners.base import Problem
from models.signal.variation import VERSION as VARIATION
from models.training import cli_evaluate, fit, methods
from models.training.baselines import baselines
from models.training.fit import Fitted
from models.training.methods import METHODS
from models.training.support import parse_support, split
from models.training.task import task_spec

from . import make

run = CliRunner().invoke


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make.dataset(tmp_path_factory.mktemp("data") / "rooms", seconds=26)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(fit, "EPOCHS", 25)


@pytest.fixture(scope="module")
def problem(data: Path) -> Problem:
    samples = dataset.load(data, "counting", ["RoomA", "RoomB"])
    source = samples.take(samples.domain == "RoomA")
    parted = split(samples.take(samples.domain == "RoomB"), parse_support("RoomB:8s"))
    return Problem(
        source, parted.query, parted.support, parted.support, task_spec("counting", samples.classes)
    )


@pytest.fixture(scope="module")
def fitted(problem: Problem) -> Fitted:
    return fit.fit(problem.source, problem.spec, 0)


def test_presence_prints_the_whole_contract(data: Path) -> None:
    result = run(
        cli_evaluate.app,
        ["presence", "--data", str(data), "--source", "RoomA", "--target", "RoomB", "--seeds", "2", "--json"],
    )
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) >= {
        "task", "data", "source", "target", "support", "method", "transductive", "decision_s", "seeds",
        "classes", "metrics", "baselines", "n_sessions", "confusion", "interval95", "data_digest", "commit",
        "seconds", "longest",
    }  # fmt: skip
    assert set(document["metrics"]) >= {"balanced_accuracy", "ece"}
    assert set(document["metrics"]["ece"]) == {"mean", "sd"}
    assert document["metrics"]["balanced_accuracy"]["mean"] > 0.9
    assert document["baselines"]["majority"]["balanced_accuracy"]["mean"] == 0.5
    assert set(document["baselines"]) == {
        "majority",
        "none",
        "frozen_random",
        "motion_statistic",
        "moved_variance",
        "lda",
        "knn",
        "random_network",
    }
    assert 0 < document["longest"]["cpu_s"] < document["seconds"] + 1
    assert document["n_sessions"] == 3
    assert np.sum(document["confusion"]) == 2 * document["n_units"]
    low, high = document["interval95"]["balanced_accuracy"]
    assert 0 <= low <= high <= 1


def test_counting_with_support_shows_every_baseline_and_the_control(data: Path) -> None:
    result = run(
        cli_evaluate.app,
        ["counting", "--data", str(data), "--source", "RoomA", "--target", "RoomB", "--seeds", "1",
         "--support", "RoomB:8s", "--transductive", "--decision", "5s", "--method", "head_only", "--json"],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document["metrics"]) >= {"accuracy", "within_1", "mae"}
    assert set(document["baselines"]) == {
        "majority", "none", "frozen_random", "standardised", "matched", "head_only", "target_only", "pooled",
        "recording_fingerprint", "lda", "knn", "random_network",
    }  # fmt: skip
    assert document["transductive"] is True
    assert document["decision_s"] == 5
    assert document["baselines"]["recording_fingerprint"]["accuracy"]["mean"] > 0.9  # one file a class


def test_a_readable_table_without_json(data: Path) -> None:
    result = run(
        cli_evaluate.app,
        ["counting", "--data", str(data), "--source", "RoomA", "--target", "RoomB", "--seeds", "1",
         "--classes", "0-1", "--method", "none"],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "RoomA -> RoomB, no target data" in result.stdout
    assert "majority" in result.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--data", "nowhere"], "data set nowhere does not exist"),
        (["--source", "RoomZ"], "unknown domain 'RoomZ'"),
        (["--classes", "0-5"], "class 3 of domain 'RoomA' is empty"),
        (["--classes", "5-1"], "is no range"),
        (["--leave-out", "person"], "give either --target"),
        (["--learner", "magic"], "no learner 'magic'"),
        (["--method", "magic"], "no method 'magic'"),
        (["--method", "standardised"], "needs --transductive or --support"),
        (["--method", "head_only"], "give --support"),
        (["--support", "RoomB"], "is not DOMAIN:AMOUNT"),
        (["--decision", "soon"], "is no time"),
        (["--decision", "2s"], "shorter than a window"),
        (["--decision", "60s"], "longer than every recording"),
        (["--source", "RoomB:0s-9s", "--target", "RoomB:8s-18s"], "share frames of RoomB/0p"),
        (["--seeds", "0"], "seeds must be at least 1"),
    ],
)
def test_errors_name_what_is_wrong(data: Path, options: list[str], why: str) -> None:
    given = {"--data": str(data), "--source": "RoomA", "--target": "RoomB", "--seeds": "1"}
    given |= dict(zip(options[::2], options[1::2], strict=True))
    result = run(cli_evaluate.app, ["counting", *(word for pair in given.items() for word in pair)])
    assert result.exit_code == 1
    assert why in result.stderr
    assert result.stdout == ""


def test_a_recording_that_is_no_capture_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "rooms" / "RoomA"
    folder.mkdir(parents=True)
    (folder / "0p.dat").write_bytes(b"not csi" * 100)
    result = run(
        cli_evaluate.app,
        ["presence", "--data", str(tmp_path / "rooms"), "--source", "RoomA", "--target", "RoomA"],
    )
    assert result.exit_code == 1
    assert "0p.dat" in result.stderr


def test_a_recording_shorter_than_a_window_is_named(tmp_path: Path) -> None:
    data = make.dataset(tmp_path / "short", seconds=3, domains=("RoomA",))
    result = run(
        cli_evaluate.app, ["presence", "--data", str(data), "--source", "RoomA", "--target", "RoomA"]
    )
    assert result.exit_code == 1
    assert "shorter than one window" in result.stderr


def test_scaler_is_fitted_on_the_source_alone(problem: Problem, fitted: Fitted) -> None:
    seen = problem.source.features[problem.source.mask][:, problem.spec.columns]
    assert np.allclose(fitted.network.mean.numpy(), seen.mean(axis=0), atol=1e-4)


def test_what_a_window_gets_does_not_hang_on_the_other_target_windows(
    problem: Problem, fitted: Fitted
) -> None:
    """Leakage guard: every method and baseline without --transductive judges each window by itself."""
    strange = {name: value.copy() for name, value in problem.query.inputs.items()}
    for name in (VARIATION, PLAIN):
        strange[name][1:] += 3.0
    other = replace(problem, query=replace(problem.query, inputs=strange))
    for name, method in METHODS.items():
        ours, theirs = method(problem, fitted, 0)[0], method(other, fitted, 0)[0]
        assert np.allclose(ours, theirs, atol=1e-6), name
    for name, simple in baselines(problem).items():
        assert np.allclose(simple(problem, 0)[0], simple(other, 0)[0], atol=1e-6), name


def test_query_labels_reach_no_method(problem: Problem, fitted: Fitted) -> None:
    lied = replace(problem, query=replace(problem.query, label=2 - problem.query.label))
    for name, method in METHODS.items():
        assert np.allclose(method(problem, fitted, 0), method(lied, fitted, 0), atol=1e-6), name
    for name, simple in baselines(problem).items():
        assert np.allclose(simple(problem, 0), simple(lied, 0), atol=1e-6), name


def test_matched_shows_the_shares_of_the_source() -> None:
    logits = np.random.default_rng(0).normal(2.0, 1.5, 500)
    shift = methods.threshold_shift(logits, 0.25)
    assert np.mean(1 / (1 + np.exp(-(logits + shift)))) == pytest.approx(0.25, abs=1e-6)


def test_auto_chooses_on_held_out_support(problem: Problem, fitted: Fitted) -> None:
    chosen = methods.choose(problem, fitted, 0)
    assert np.allclose(METHODS["auto"](problem, fitted, 0), METHODS[chosen](problem, fitted, 0))


def ask_with_predictions(data: Path, place: Path) -> Result:
    return run(
        cli_evaluate.app,
        ["presence", "--data", str(data), "--source", "RoomA", "--target", "RoomB", "--seeds", "1",
         "--predictions", str(place)],
    )  # fmt: skip


def test_predictions_hold_every_judged_unit(data: Path, tmp_path: Path) -> None:
    result = ask_with_predictions(data, tmp_path / "p.parquet")
    assert result.exit_code == 0, result.stderr
    table = pyarrow.parquet.read_table(tmp_path / "p.parquet").to_pydict()
    assert set(table) == {
        "seed", "domain", "session", "start_s", "label", "probability_vacant", "probability_occupied",
    }  # fmt: skip
    assert set(table["domain"]) == {"RoomB"}
    assert set(table["label"]) == {0, 1}
    total = np.array(table["probability_vacant"]) + np.array(table["probability_occupied"])
    assert np.allclose(total, 1)


def test_predictions_that_cannot_be_written_say_so(data: Path, tmp_path: Path) -> None:
    result = ask_with_predictions(data, tmp_path / "nowhere" / "p.parquet")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
