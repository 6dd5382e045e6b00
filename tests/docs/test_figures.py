"""Pages with figures hold what docs/results holds, no more and no less."""

from pathlib import Path

from models.figures import compare, page

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"


def test_the_page_on_accuracy_is_made_from_the_answers() -> None:
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert page.filled(text, RESULTS) == text


def test_the_table_of_methods_is_made_from_the_answers() -> None:
    text = (ROOT / "docs" / "adaptation.md").read_text(encoding="utf-8")
    assert compare.filled(text, RESULTS) == text


def test_every_answer_is_of_a_question_that_is_asked() -> None:
    from models.figures.rows import ROWS
    from models.figures.studies import STUDIES

    asked = {row.name for row in ROWS} | {study.name for study in STUDIES}
    asked |= {f"{compare.PREFIX}{row.name}" for row in compare.with_support()}
    assert {path.stem for path in RESULTS.glob("*.json")} <= asked
