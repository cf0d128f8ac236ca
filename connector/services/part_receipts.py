"""What does a receipt about one part of a long text mean for the whole of it?"""

from __future__ import annotations

from dataclasses import replace

from connector.domain.receipt import after_receipt, of_parts
from connector.ports.attempts import PartRow
from connector.ports.gateway import StatusReport
from connector.ports.ledger import UnitOfWork


def of_whole(uow: UnitOfWork, part: PartRow, report: StatusReport) -> StatusReport:
    """Note what a receipt says of one part, and give what it means for the whole text.

    The attempt is held first: receipts of two parts that come at once would else each miss what the other one says.
    """
    uow.attempts.many([part.attempt_id])
    parts = [_moved(each, part, report) for each in uow.attempts.parts_of(part.attempt_id)]
    uow.attempts.move_part(next(each for each in parts if each.number == part.number))
    return replace(
        report,
        attempt_id=part.attempt_id,
        provider_message_id="",  # the attempt has been found; it may be known by another id
        state=of_parts([each.state for each in parts]),
        segments=None,
        price=None,  # a part's; what the whole costs was told with the answer
    )


def _moved(each: PartRow, reported: PartRow, report: StatusReport) -> PartRow:
    return replace(each, state=after_receipt(each.state, report.state)) if each.number == reported.number else each
