"""Tasks of other packages: loaded from their entry point, and never a hindrance where they are broken."""

from importlib.metadata import EntryPoint

from models.errors import TaskError
from models.prediction import Prediction
from models.tasks.base import Evidence, Task


class Unusable:
    """Stands for a task whose package cannot be used; each answer is the error that says why."""

    needs_model = False

    def __init__(self, name: str, why: str) -> None:
        self.name, self._why = name, why

    def predict(self, evidence: Evidence) -> Prediction:
        """No answer.

        Raises:
            TaskError: always; it names the package and what is wrong with it.
        """
        del evidence
        raise TaskError(self._why)


def loaded(point: EntryPoint) -> Task:
    """The task that this entry point names (a class that is made without arguments).

    Where it cannot be used, one stands for it that answers with the reason.
    """
    try:
        made = point.load()()
    except Exception as error:  # noqa: BLE001 - foreign code; it costs itself and nothing else
        return Unusable(point.name, f"{_where(point)} cannot be used: {type(error).__name__}: {error}")
    lacking = [what for what in ("name", "needs_model", "predict") if not hasattr(made, what)]
    if lacking:
        return Unusable(point.name, f"{_where(point)} cannot be used: it lacks {', '.join(lacking)}")
    if made.name != point.name:
        return Unusable(point.name, f"{_where(point)} cannot be used: it calls itself {made.name!r}")
    task: Task = made
    return task


def _where(point: EntryPoint) -> str:
    package = f" of {point.dist.name} {point.dist.version}" if point.dist is not None else ""
    return f"task {point.name!r} ({point.value}{package})"
