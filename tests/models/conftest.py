"""Fixtures of tests of models."""

import pytest

from models.training import evaluate


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the method that is asked for is judged: on large real sets the baselines take most of the time."""
    monkeypatch.setattr(evaluate, "baselines", lambda _problem, doubtful=False: {})
