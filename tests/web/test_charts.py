"""Charts: what a mark says, where it lies, and the file of a chart."""

import xml.etree.ElementTree as ET

import pytest

from app.web.pages.charts.plots import bars, columns, grid, line
from app.web.pages.charts.scale import floor_of, share_ticks, ticks_of
from app.web.pages.charts.svg import XMLNS, Mark, Tone, as_file

EVIL = '"><script>alert(1)</script>'
MARKS = [
    Mark("2 Mar", 97.5, "97.5%", "2\u20138 March: 97.5% kept", "/reports/behind?of=outcomes&kind=guarantee"),
    Mark("9 Mar", None, "\u2013", "9\u201315 March: nothing"),
    Mark(EVIL, 92, "92%", EVIL, "/x?a=1&b=" + EVIL, Tone.BAD),
]
DRAWN = {
    "line": line("Kept", MARKS, lambda value: f"{value:g}%", (95, "Goal: 95%")),
    "columns": columns("Used", MARKS, lambda value: f"{value:g}"),
    "bars": bars("Causes", MARKS),
    "grid": grid("Starts", [("Mon", MARKS), ("Tue", MARKS)], ["0", "1", "2"]),
}


@pytest.mark.parametrize("chart", DRAWN)
def test_a_chart_is_valid_svg_whose_marks_have_a_name_a_tooltip_and_a_caption(chart: str) -> None:
    root = ET.fromstring(as_file(DRAWN[chart], "Title & more"))
    assert root.tag == f"{{{XMLNS}}}svg"
    assert not list(root.iter(f"{{{XMLNS}}}script"))
    assert not list(root.iter(f"{{{XMLNS}}}a")), "a file leads nowhere"
    titles = [mark.findtext(f"{{{XMLNS}}}title") for mark in root.iter() if "mark" in mark.get("class", "")]
    assert {MARKS[0].caption, EVIL} <= set(titles)
    assert not [each for each in root.iter() if each.get("class") == "caption"], (
        "no style sheet would show it"
    )
    shown = ET.fromstring(str(DRAWN[chart]))
    marks = [each for each in shown.iter() if "mark" in each.get("class", "")]
    assert [mark.get("aria-label") for mark in marks] == titles
    for mark in marks:
        (caption,) = [each for each in mark if each.get("class") == "caption"]
        assert caption.text == mark.get("aria-label")


def test_what_is_below_the_goal_has_another_shape_and_what_is_not_known_has_none() -> None:
    svg = DRAWN["line"]
    assert svg.count("<circle") == 1
    assert svg.count('class="joined"') == 0
    assert "Goal: 95%" in svg


def test_no_mark_of_shares_lies_below_the_axis_or_on_it() -> None:
    for shares in ([100.0], [99.97], [98.0, 100.0], [50.0], [0.0], []):
        floor = floor_of(shares)
        assert floor == 0 or all(share > floor for share in shares)
        assert share_ticks(floor)[0] == floor
        assert share_ticks(floor)[-1] == 100


@pytest.mark.parametrize(
    ("greatest", "ticks"),
    [(0, [0, 1]), (3, [0, 1, 2, 3]), (7, [0, 2, 4, 6, 8]), (90, [0, 50, 100]), (2300, [0, 1000, 2000, 3000])],
)
def test_counts_have_round_steps_up_to_the_greatest(greatest: float, ticks: list[float]) -> None:
    assert ticks_of(greatest) == ticks


def test_a_grid_of_nothing_has_no_colour() -> None:
    svg = grid("Starts", [("Mon", [Mark("0", 0, "0", "nothing")])], ["0"])
    assert 'class="empty"' in svg
    assert "mark" not in svg
