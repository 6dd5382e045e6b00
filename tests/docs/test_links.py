"""Links between the pages lead somewhere, and every page for users is linked on the first one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """Names of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for name, anchor in LINK.findall(page.read_text()):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page}: {name}"
        assert not anchor or anchor in anchors(target), f"{page}: {name}#{anchor}"


def test_the_first_page_links_every_page_and_card() -> None:
    linked = {(ROOT / name).resolve() for name, _ in LINK.findall((ROOT / "README.md").read_text())}
    assert len(linked) > 10
    for page in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "hardware").glob("*.md")]:
        assert page in linked, f"README.md does not link {page}"
