"""Which attempts may gateways be asked about at the same time?"""

from __future__ import annotations

from dataclasses import replace

from connector.domain.message import MessageState
from connector.ports.attempts import AttemptRow
from connector.services.asking import apart
from tests.adapters.store.factories import NOW

_ONE = AttemptRow(
    id="1", account_id="a", message_id="1", gateway="twilio", state=MessageState.UNKNOWN, requested_at=NOW
)
_NUMBERS = {"1": "+12025550143", "2": "+12025550143", "3": "+12025550144"}


def ids(*rows: AttemptRow) -> list[str]:
    return [row.id for row in apart(rows, lambda row: _NUMBERS[row.message_id])]


def test_two_texts_to_one_number_are_asked_about_one_after_the_other() -> None:
    second = replace(_ONE, id="2", message_id="2")
    assert ids(_ONE, second, replace(_ONE, id="3", message_id="3")) == ["1", "3"]


def test_texts_through_other_gateways_and_those_known_by_an_id_are_mistaken_for_no_other() -> None:
    elsewhere = replace(_ONE, id="2", message_id="2", gateway="sinch")
    known = replace(_ONE, id="3", message_id="2", provider_message_id="SM1")
    assert ids(known, _ONE, elsewhere) == ["3", "1", "2"]
