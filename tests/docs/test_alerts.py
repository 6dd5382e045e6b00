"""The page on alerts: its rules are taken as they stand, and it names every kind, key and cause."""

import re
from pathlib import Path

from service.api.documents.alerts import RuleList
from service.rooms.alerting.alert import Cause
from service.rooms.alerting.rules import BUILT_IN

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
EXAMPLE = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_has_a_rule_of_every_kind_and_is_taken() -> None:
    assert EXAMPLE is not None
    rules = RuleList.model_validate_json(EXAMPLE.group(1)).items
    assert {rule.kind for rule in rules} >= {rule.kind for rule in BUILT_IN}
    kinds = {row.split("`")[1] for row in PAGE.splitlines() if row.startswith("| `") and "presence" in row}
    assert kinds == {"occupied", "inactivity"}
    assert all(f"| `{rule.kind}` |" in PAGE for rule in rules)
    keys = {name for rule in rules for name in type(rule).model_fields if name != "kind"}
    assert {name for name in keys if f"`{name}`" not in PAGE} == set()


def test_every_cause_is_told() -> None:
    assert {cause.value for cause in Cause if f"`{cause}`" not in PAGE} == set()
