"""How are blocks and tables of a generated page written down in Markdown?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MADE = "<!-- Made by `smsctl docs` from {source}; do not edit by hand. -->"


def page(source: str, *blocks: str) -> str:
    """Join blocks to a page that says which module it was made from."""
    return "\n\n".join((_MADE.format(source=source), *blocks)) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table down; bars in its cells stay within their cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
