"""Deep methods take fewer steps here: made rooms are easy, and there are many tests."""

import pytest

from models.adapt.deep import encoder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "STEPS", 150)
