"""What must a file of contacts be able to give, whichever kind it is?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol


class ContactFile(Protocol):
    """A table with a heading; every cell is a text."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        ...

    @property
    def hash(self) -> str:
        """SHA-256 of its bytes, hex; of a workbook, of its bytes, NUL and the sheet's name."""
        ...

    @property
    def headings(self) -> Sequence[str]:
        """In the order of its columns."""
        ...

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Give every row that is not empty, with its number as a spreadsheet counts: the heading is row 1.

        A row has as many cells as were written, which may be fewer or more than headings.
        """
        ...
