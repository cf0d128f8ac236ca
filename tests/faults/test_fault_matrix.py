"""Is any text lost or sent twice, whatever goes wrong with whichever gateway, before or after the request left?

Each text meets the fault with its first try, at the gateway under test; a second gateway works. Then time passes until
nobody has anything to do any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock

import httpx
import pytest

from connector.adapters import http
from connector.domain.message import MessageState, Purpose, SendPolicy
from connector.ports.gateway import Accepted, Handle, OutgoingSMS, SMSGateway
from connector.ports.messages import MessageRow
from tests.adapters.sms.emulated import impatient
from tests.faults.books import check_sums, check_trace
from tests.faults.breaking import BREAKAGES, Breakage, Leaves, nobody_answering, nobody_listening
from tests.faults.emulated import Emulated, OverHTTP
from tests.faults.gateways import STARTED
from tests.faults.proving import Proving, Traveller, copy_of
from tests.waiting import eventually

_TAKEN = {MessageState.ACCEPTED, MessageState.SENT}
_SECOND = {"twilio": "telnyx"}  # else twilio


_TIMEOUT = httpx.Timeout(3.0, connect=0.15)  # nobody is there: a test need not sit out three seconds


@pytest.fixture
def reached(
    slug: str, breakage: Breakage, vendors: Callable[[str], Emulated], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SMSGateway]:
    """Give the adapter under test: the vendor's own, or one that reaches nobody."""
    vendor = vendors(slug)
    vendor.begin_test(None)
    if not (breakage.is_refused or breakage.is_unanswered):
        if breakage.is_waited_out and isinstance(vendor, OverHTTP):
            monkeypatch.setattr(vendor.gateway, "send", _waits_out(vendor, breakage))
        yield vendor.gateway
        return
    monkeypatch.setattr(http, "TIMEOUT", _TIMEOUT)
    with nobody_listening() if breakage.is_refused else nobody_answering() as port:
        gateway = vendor.elsewhere(port)
        yield gateway
        gateway.close()


def _waits_out(vendor: OverHTTP, breakage: Breakage) -> Callable[[OutgoingSMS], Accepted]:
    """Give a way to send that is impatient while an answer is held back, and patient once answers come.

    A busy machine may give up before the vendor has read a thing: so the vendor is waited for as well.
    """
    patiently, one_by_one = vendor.gateway.send, Lock()

    def send(sms: OutgoingSMS) -> Accepted:
        with one_by_one:  # all adapters of the process have one time-out
            if held := _held_back(vendor):
                return give_up(sms, held)
        return patiently(sms)

    def give_up(sms: OutgoingSMS, held: int) -> Accepted:
        try:
            with impatient(vendor.gateway):
                return patiently(sms)
        finally:
            eventually(lambda: _held_back(vendor) < held, "the vendor reads the request")
            if breakage.leaves is Leaves.DOUBT_TAKEN:
                eventually(lambda: vendor.taken(sms.body), "the vendor takes the text")

    return send


def _held_back(vendor: OverHTTP) -> int:
    """Count the answers that are still to be held back."""
    return sum(each["left"] for each in vendor.box.faults.armed())


@pytest.fixture
def proving(
    slug: str,
    breakage: Breakage,
    vendors: Callable[[str], Emulated],
    reached: SMSGateway,
    time: Traveller,
    empty_ledger: Path,
    tmp_path: Path,
) -> Iterator[Proving]:
    first, second = vendors(slug), vendors(_SECOND.get(slug, "twilio"))
    ledger = copy_of(empty_ledger, tmp_path)
    proving = Proving(ledger, (first, second), {slug: reached, second.slug: second.gateway}, time)
    first.opens_to(proving)
    second.begin_test(proving)
    breakage.arm(first)
    yield proving
    ledger.close()


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
@pytest.mark.parametrize("slug", STARTED)
def test_nothing_is_lost_and_nothing_doubled(
    slug: str, breakage: Breakage, proving: Proving, vendors: Callable[[str], Emulated]
) -> None:
    texts = proving.order()
    proving.settle()
    can = Means(proving, (vendors(slug), vendors(_SECOND.get(slug, "twilio"))), breakage)
    for text in texts.values():
        check_end(can, text)
        check_copies(can, text)
        check_trace(proving, text)
    check_sums(proving, list(texts.values()))


class Means:
    """What can be known of a text that met this breakage at this gateway."""

    def __init__(self, proving: Proving, vendors: Sequence[Emulated], breakage: Breakage) -> None:
        vendor = vendors[0]
        self.proving, self.vendors, can = proving, vendors, vendor.gateway.capabilities
        has_receipts = can.receipts == "callback" and breakage.is_heard
        over_bind = not vendor.speaks_http
        self.is_found_without_id = bool(can.asked_by & {Handle.REFERENCE, Handle.TEXT})
        self.is_told_without_id = has_receipts and bool(can.reference)
        self.is_ever_told = bool(can.receipts)
        self.is_told = has_receipts or Handle.ID in can.asked_by or self.is_found_without_id
        self.leaves = breakage.leaves
        if over_bind and breakage.receipts and breakage.receipts[0][0] in {"unsigned", "forged"}:
            self.is_told = True  # our own bind needs no signature


def check_end(can: Means, text: MessageRow) -> None:
    """It ends, or is with the gateway, which has been asked as often as it can be."""
    row = can.proving.row(text)
    assert not any(attempt.ask_at for attempt in can.proving.attempts(text))
    if row.state is MessageState.DEAD_LETTER:
        assert can.leaves in {Leaves.DOUBT_TAKEN, Leaves.DOUBT_UNTAKEN}
        assert not can.is_found_without_id, "it could have been asked for"
        assert text.policy is SendPolicy.AT_MOST_ONCE
        return
    if row.state in _TAKEN:
        assert can.leaves is Leaves.TAKEN_IN_VAIN or not can.is_told or row.gateway != can.vendors[0].slug
        return
    assert row.state is MessageState.DELIVERED, (row.state, row.state_reason)


def check_copies(can: Means, text: MessageRow) -> None:
    """Everybody who can be reached gets it, and nobody twice who would not rather have it twice than never."""
    row = can.proving.row(text)
    copies = sum(vendor.copies(text.body) for vendor in can.vendors)
    taken = sum(vendor.taken(text.body) for vendor in can.vendors)
    if text.policy is SendPolicy.AT_MOST_ONCE:
        assert taken <= 1
    assert copies <= 2
    if not copies:
        assert row.state is MessageState.DEAD_LETTER or (can.leaves is Leaves.TAKEN_IN_VAIN and row.state in _TAKEN)
        assert text.purpose is not Purpose.OTP or not can.is_ever_told
    if row.state is MessageState.DELIVERED:
        assert copies


def test_every_breakage_leaves_something_else() -> None:
    assert {breakage.leaves for breakage in BREAKAGES} == set(Leaves)
    assert len({breakage.name for breakage in BREAKAGES}) == len(BREAKAGES)
