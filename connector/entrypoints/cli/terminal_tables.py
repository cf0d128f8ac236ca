"""How do rows look in a terminal?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns, what they hold as it is; nothing when there are none.

    A column whose name begins with `>` holds numbers and stands to the right; one that begins with `!` is never folded,
    so that an id can be copied.
    """
    lines = [[Text(str(value)) for value in row] for row in rows]
    if not lines:
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        is_number, is_whole = column.startswith(">"), column.startswith("!")
        table.add_column(
            column.lstrip(">!"), justify="right" if is_number else "left", no_wrap=is_whole, overflow="fold"
        )
    for line in lines:
        table.add_row(*line)
    console.print(table)
