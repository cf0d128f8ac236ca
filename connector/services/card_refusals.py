"""Why does a card not do what a rep asks for?"""

from __future__ import annotations

from connector.errors import ConnectorError


class CardRefusedError(ConnectorError):
    """Refused, with a word for programs and a sentence for the rep; neither holds a number or a text.

    Attributes:
        code: `opted_out`, `no_number`, `no_wording`, `too_long`, `empty`, `template_incomplete`,
            `idempotency_key_reused`, `invalid`, `not_allowed` or `no_such_journey`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail
