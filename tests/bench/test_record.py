"""Tables, goals and the plot, of invented figures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench.figures import Figure, Goal, Part
from tests.bench.growth import STEPS, Point, growth_table, sizes, steeper
from tests.bench.plot import HEIGHT, WIDTH, plot
from tests.bench.record import circumstances, write
from tests.bench.table import number, table, unmet

PART = Part(
    "Swaps",
    (
        Figure(
            "ours",
            (90.0, 120.0, 100.0),
            "/s",
            Goal(1.0, at_least=True, beside=(100.0, 100.0, 50.0), other="theirs"),
        ),
        Figure("theirs", (100.0, 100.0, 50.0), "/s"),
        Figure("theirs", (151.0,), "MiB", Goal(150.0)),
    ),
    "How.",
)


def points(exponent: float = 1.0) -> list[Point]:
    return [
        Point(step, rows, order * (rows / 1_000) ** exponent, 2 * (rows / 1_000) ** exponent, 60.0)
        for order, step in enumerate(STEPS, start=1)
        for rows in sizes(100_000)
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (5.0, "5"), (1234.5, "1,234")],
)
def test_figures_have_as_many_digits_as_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_a_goal_beside_another_program_is_about_each_rounds_ratio() -> None:
    goal = PART.figures[0].goal
    assert goal is not None
    assert goal.reached((90.0, 120.0, 100.0)) == 1.2
    assert goal.met((90.0, 120.0, 100.0))
    assert not goal.met((90.0, 90.0, 10.0))


def test_a_goal_is_met_at_its_bound() -> None:
    assert Goal(2.0).met((2.0,))
    assert Goal(2.0, at_least=True).met((2.0,))
    assert not Goal(2.0).met((2.1,))
    assert not Goal(2.0, at_least=True).met((1.9,))


def test_a_table_has_median_range_goal_and_what_came_of_it() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(PART, "github").splitlines()]
    assert rows[2] == ["ours", "100 /s", "90 to 120", "≥ 1 times theirs", "met (it is 1.20)"]
    assert rows[3] == ["theirs", "100 /s", "50 to 100", "", ""]
    assert rows[4] == ["", "151 MiB", "", "≤ 150 MiB", "missed"]


def test_what_was_missed_is_named() -> None:
    assert unmet([PART]) == ["Swaps: theirs: ≤ 150 MiB; it is 151"]


def test_growth_that_is_steeper_than_linear_is_named() -> None:
    assert steeper(points()) == []
    named = steeper(points(1.5))
    assert len(named) == 2 * len(STEPS)
    assert "plan: from 1,000 to 10,000 as n^1.50" in named


def test_the_table_of_growth_has_each_command_at_each_size() -> None:
    lines = growth_table(points(), "github").splitlines()[2:]
    assert len(lines) == 3 * len(STEPS)
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "plan",
        "100,000",
        "100 s",
        "200 s",
        "60 MiB",
    ]


def test_the_plot_has_a_line_and_a_name_for_each_command_and_nothing_outside() -> None:
    names = {"svg": "http://www.w3.org/2000/svg"}
    drawn = ET.fromstring(plot(points(), "Time <s>"))
    lines = drawn.findall("svg:polyline", names)
    assert len(lines) == len(STEPS)
    for line in lines:
        places = [tuple(map(float, place.split(","))) for place in line.get("points", "").split()]
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
        (first, *_), steps = places, [(b[0] - a[0], a[1] - b[1]) for a, b in pairwise(places)]
        assert first == min(places), "to the right there are more"
        assert len({(round(x), round(y)) for x, y in steps}) <= 2, "what is linear is a straight line"
    texts = {text.text: float(text.get("y", "0")) for text in drawn.findall("svg:text", names)}
    assert set(STEPS) | {"Time <s>", "1,000", "100,000", "connections"} <= texts.keys()
    heights = sorted(texts[step] for step in STEPS)
    assert all(below - above >= 14 for above, below in pairwise(heights)), "names lie on one another"


def test_one_size_alone_can_be_drawn() -> None:
    assert ET.fromstring(plot(points()[:1], "One")).tag.endswith("svg")


def test_what_is_written_down_says_where_when_and_how(tmp_path: Path) -> None:
    about = circumstances(["--rows", "1000"])
    path = write(tmp_path / "new", about, [PART], points())
    text = path.read_text("utf-8")
    assert "`python -m tests.bench --rows 1000`" in text
    for said in (
        about,
        "## Swaps",
        "How.",
        "theirs",
        "## Growth",
        "(growth.svg)",
        "- Swaps: theirs: ≤ 150 MiB",
    ):
        assert said in text
    assert (path.parent / "growth.svg").is_file()
