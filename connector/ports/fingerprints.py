"""How do services know again what they were asked, without keeping it?"""

from __future__ import annotations

from typing import Protocol


class Fingerprints(Protocol):
    """Makes fingerprints of texts that tell a reader of the ledger nothing, not even by guessing."""

    def make(self, text: str, /) -> str:
        """Give the fingerprint of a text, at most 64 characters."""
        ...

    def matches(self, fingerprint: str, text: str, /) -> bool:
        """Tell whether a fingerprint is of this very text; False as well when its secret is gone."""
        ...
