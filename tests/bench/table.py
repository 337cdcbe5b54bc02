"""Figures as tables, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tabulate import tabulate

from tests.bench.figures import Figure, Goal, Part

Form = Literal["github", "simple"]
"""Markdown, or for the terminal."""
HEADERS = ("who", "median", "range", "goal", "")


def table(part: Part, form: Form) -> str:
    """One part's figures, a row each; who it is stands there once."""
    earlier = ["", *(figure.who for figure in part.figures)]
    rows = [
        (
            "" if figure.who == before else figure.who,
            f"{number(figure.median)} {figure.unit}".rstrip(),
            _range(figure),
            *_goal(figure),
        )
        for before, figure in zip(earlier, part.figures, strict=False)
    ]
    return tabulate(rows, HEADERS, tablefmt=form, disable_numparse=True)


def number(value: float) -> str:
    """A figure with as many digits as mean something: three, or all of a larger whole number."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def unmet(parts: Sequence[Part]) -> list[str]:
    """Every goal that was missed, in words."""
    return [
        f"{part.title}: {figure.who}: {goal_text(figure.goal, figure.unit)}; {_reached(figure, figure.goal)}"
        for part in parts
        for figure in part.figures
        if figure.goal is not None and not figure.goal.met(figure.values)
    ]


def goal_text(goal: Goal, unit: str) -> str:
    """What it shall be."""
    bound = f"{'≥' if goal.at_least else '≤'} {number(goal.bound)}"
    return f"{bound} times {goal.other}" if goal.beside is not None else f"{bound} {unit}".rstrip()


def _goal(figure: Figure) -> tuple[str, str]:
    if figure.goal is None:
        return "", ""
    met = "met" if figure.goal.met(figure.values) else "missed"
    beside = f" ({_reached(figure, figure.goal)})" if figure.goal.beside is not None else ""
    return goal_text(figure.goal, figure.unit), f"{met}{beside}"


def _reached(figure: Figure, goal: Goal) -> str:
    return f"it is {number(goal.reached(figure.values))}"


def _range(figure: Figure) -> str:
    if len(figure.values) == 1:
        return ""
    return f"{number(min(figure.values))} to {number(max(figure.values))}"
