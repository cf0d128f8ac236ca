"""How are figures shown: each beside its floor, with what was aimed at?"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        part: which part of the bench it belongs to, a name that `--only` takes.
        value: in `unit`.
        floor: the same of a program that does only what cannot be avoided, measured in the same run.
        ratio: `value` over `floor`, or over what `floor_is` says.
        aim: what the ratio, or the value where there is no floor, should be: `≥ 0.6` or `≤ 2.5`.
        note: what was done, and with what.
    """

    part: str
    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    aim: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How the value compares with its floor."""
        return None if not self.floor else self.value / self.floor

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None without an aim."""
        if not self.aim:
            return None
        sign, _, number = self.aim.partition(" ")
        measured = self.value if self.ratio is None else self.ratio
        return measured >= float(number) if sign == "≥" else measured <= float(number)


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Each figure beside its floor, measured in the same run", title_justify="left")
    for heading in ("figure", "measured", "floor", "ratio", "aim", ""):
        table.add_column(heading, justify="right" if heading in {"measured", "floor", "ratio", "aim"} else "left")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{number(figure.value)} {figure.unit}",
            "" if figure.floor is None else f"{number(figure.floor)} {figure.unit}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.aim,
            {None: "", True: "met", False: "missed"}[figure.is_met],
        )
    console = Console(width=120)
    console.print(table)
    for figure in figures:
        told = "; floor: ".join(text for text in (figure.note, figure.floor_is) if text)
        if told:
            console.print(f"  {figure.name}: {told}", highlight=False, soft_wrap=True)


def as_json(figures: Sequence[Figure]) -> str:
    """Give the figures for programs."""
    return json.dumps(
        [asdict(figure) | {"ratio": figure.ratio, "is_met": figure.is_met} for figure in figures],
        indent=2,
        ensure_ascii=False,
    )


def number(value: float) -> str:
    """Write a number with three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def percentile(values: Sequence[float], percent: int) -> float:
    """Give the value under which `percent` of the values lie."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
