"""Two old rooms and a new one, made of a few lines: classes keep their order, the new room shifts them."""

import numpy as np

from models.adapt.base import Rows, Setting

FEATURES = 8


def rows(room: str, each: int, classes: int, *, shift: float = 0.0, seed: int = 0, sessions: int = 2) -> Rows:
    """`each` rows of every class: class means on a bent curve, moved by `shift` in this room."""
    rng = np.random.default_rng([seed, *room.encode()])
    label = np.repeat(np.arange(classes), each)
    centre = np.random.default_rng(5).standard_normal((classes, FEATURES)) * 2
    values = centre[label] + shift * np.random.default_rng(7).standard_normal(FEATURES)
    values = values + rng.standard_normal((len(label), FEATURES))
    turn = np.tile(np.arange(each) * sessions // each, classes)
    session = np.array([f"{room}/{one}/{part}" for one, part in zip(label, turn, strict=True)])
    start_s = np.tile(np.arange(each, dtype=np.float64), classes)
    return Rows(values, label.astype(np.int64), np.full(len(label), room), session, start_s)


def join(*parts: Rows) -> Rows:
    """All of these."""
    names = ("values", "label", "domain", "session", "start_s")
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def setting(classes: int = 3, *, shift: float = 3.0, each: int = 6, ordered: bool = False) -> Setting:
    """Everything there may be: source of two rooms, support, unlabelled rows, a bridge between."""
    source = join(rows("A", 40, classes), rows("B", 40, classes, shift=0.3))
    return Setting(
        source=source,
        support=rows("new", each, classes, shift=shift, seed=1),
        unlabelled=rows("new", 30, classes, shift=shift, seed=2).values,
        bridge=rows("bridge", 30, classes, shift=shift / 2, seed=3).values,
        classes=classes,
        ordered=ordered,
    )


def query(classes: int = 3, *, shift: float = 3.0) -> Rows:
    """Rows of the new room that no method sees."""
    return rows("new", 50, classes, shift=shift, seed=4)
