"""Where do one-time codes come from?"""

from __future__ import annotations

from typing import Protocol


class Codes(Protocol):
    """Makes codes of a secret: the same name always gives the same code, and nobody can guess it from others.

    Attributes:
        newest: the id of the secret that makes new codes; kept beside what the code was made for, so that the code
            stays the same when a newer secret comes.
    """

    @property
    def newest(self) -> str:
        """The id of the secret that makes new codes."""
        ...

    def code(self, name: str, length: int, secret_id: str = "") -> str:
        """Give the code of a name, in `length` digits, made with the secret of that id or else with the newest."""
        ...
