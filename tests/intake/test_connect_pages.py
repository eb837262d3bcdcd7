"""What the pages under docs/connect tell a desk to write can be read, and every system has its page."""

import re
import tomllib
from pathlib import Path

import pytest

from app.intake.adapters import ADAPTERS
from app.intake.source_file import EXPRESSION, parse_sources

PAGES = Path(__file__).resolve().parents[2] / "docs" / "connect"
_BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)

OF_ITS_OWN = {EXPRESSION: "any-other", "zendesk-trigger": "zendesk", "nagios": "icinga"}
"""Systems whose page bears another name."""


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_tells_to_write_is_without_fault(page: Path) -> None:
    for block in _BLOCK.findall(page.read_text()):
        assert parse_sources(tomllib.loads(block), "haisoft", ADAPTERS)


@pytest.mark.parametrize("system", sorted(ADAPTERS))
def test_every_system_has_its_page(system: str) -> None:
    page = PAGES / f"{OF_ITS_OWN.get(system, system)}.md"
    assert page.exists()
    assert "slatimer connect" in page.read_text()
