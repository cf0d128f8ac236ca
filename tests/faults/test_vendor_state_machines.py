"""Does every order of a vendor's receipts end in the same state, whichever of its words they use?

Each receipt is rendered by the pretend vendor, verified and read by the adapter, and applied to a text in a ledger.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.sms.catalogue import BUILT_IN
from connector.domain.message import MessageState
from connector.domain.receipt import RECEIPT_STATES, after_receipt
from connector.ports.attempts import AttemptRow, PartRow
from connector.ports.gateway import OutgoingSMS, StatusReport
from connector.ports.messages import MessageRow
from tests.adapters.store.factories import a_message, an_account, an_attempt
from tests.faults.emulated import Emulated, status_url
from tests.faults.proving import Traveller
from tests.faults.vendor_words import WORDS, Rendered, rendered
from tests.faults.wiring import BEGIN, send_path_over

_ATTEMPT = "01a1f8d3-ea00-7023-a8ad-e6006389af05"
_SEVERAL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SLUGS = pytest.mark.parametrize("slug", WORDS)


@pytest.fixture(scope="module")
def _known() -> dict[str, Rendered]:
    return {}


@pytest.fixture
def text(slug: str, vendors: Callable[[str], Emulated], time: Traveller, _known: dict[str, Rendered]) -> Rendered:
    """A text that a vendor took, with a receipt of every word it may say."""
    if slug not in _known:
        vendor = vendors(slug)
        vendor.begin_test(None)
        sms = OutgoingSMS(_ATTEMPT, "+447700900461", "Your table is booked.", None, status_url(slug, _ATTEMPT))
        _known[slug] = rendered(vendor, vendor.gateway.send(sms), _ATTEMPT, BEGIN)
    return _known[slug]


def test_every_gateway_that_tells_by_callback_is_here() -> None:
    telling = {plugin.slug for plugin in BUILT_IN if plugin.capabilities.receipts == "callback"}
    assert telling == set(WORDS)


@SLUGS
def test_every_word_means_what_the_table_says_and_finds_its_text(slug: str, text: Rendered) -> None:
    for word, report in text.reports.items():
        assert report.state is WORDS[slug].state(word), word
        assert report.state in RECEIPT_STATES
        assert report.raw_status == word or slug == "infobip"  # which gives a name beside the number
    assert {report.attempt_id for report in text.reports.values()} == {_ATTEMPT}
    assert {report.state for report in text.reports.values()} >= {MessageState.DELIVERED, MessageState.UNKNOWN}


@SLUGS
@_SEVERAL
@given(data=st.data())
def test_any_order_and_any_repetition_ends_alike(slug: str, text: Rendered, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(WORDS[slug].all()), min_size=1, max_size=6))
    more = data.draw(st.lists(st.sampled_from(words), max_size=4))
    order = data.draw(st.permutations(words + more))
    reports = [text.reports[word] for word in words]
    end = functools.reduce(after_receipt, [report.state for report in reports], MessageState.ACCEPTED)
    assert end_of(slug, text, reports) == (end, end)
    assert end_of(slug, text, [text.reports[word] for word in order]) == (end, end)


@SLUGS
@_SEVERAL
@given(data=st.data())
def test_receipts_that_beat_the_answer_end_alike_too(slug: str, text: Rendered, data: st.DataObject) -> None:
    """The claim is committed before the request leaves, so that a receipt has always something to meet."""
    words = data.draw(st.lists(st.sampled_from(WORDS[slug].all()), min_size=1, max_size=5))
    reports = [text.reports[word] for word in words]
    end = functools.reduce(after_receipt, [report.state for report in reports], MessageState.DISPATCHING)
    assert end_of(slug, text, reports, MessageState.DISPATCHING) == (end, end)


@SLUGS
def test_delivered_absorbs_every_word(slug: str, text: Rendered) -> None:
    delivered = next(report for report in text.reports.values() if report.state is MessageState.DELIVERED)
    everything = [delivered, *text.reports.values(), *list(text.reports.values())[::-1]]
    assert end_of(slug, text, everything) == (MessageState.DELIVERED, MessageState.DELIVERED)


@SLUGS
@pytest.mark.parametrize("before", [MessageState.ACCEPTED, MessageState.SENT, MessageState.UNDELIVERED])
def test_words_nobody_knows_change_nothing(slug: str, text: Rendered, before: MessageState) -> None:
    unknown = [text.reports[word] for word in WORDS[slug].unknown]
    assert {report.state for report in unknown} == {MessageState.UNKNOWN}
    assert end_of(slug, text, unknown, before) == (before, before)


def end_of(
    slug: str, text: Rendered, reports: Sequence[StatusReport], begin: MessageState = MessageState.ACCEPTED
) -> tuple[MessageState, MessageState]:
    """Apply receipts in this order to a text that stands at `begin`; give where it and its attempt end."""
    ledger, message, attempt = a_ledger(slug, text, begin)
    receipts = send_path_over(ledger, {slug: text.gateway}, _opts_out).receipts
    for report in reports:
        with ledger.begin() as uow:
            receipts.apply(uow, slug, report, BEGIN + timedelta(seconds=5))
            uow.commit()
    with ledger.begin(write=False) as uow:
        return uow.messages.many([message.id])[message.id].state, uow.attempts.many([attempt.id])[attempt.id].state


def a_ledger(slug: str, text: Rendered, state: MessageState) -> tuple[MemoryLedger, MessageRow, AttemptRow]:
    """Make a ledger with one text that a gateway took, or is about to take."""
    ledger, account = MemoryLedger(), an_account(created_at=BEGIN)
    is_answered = state is not MessageState.DISPATCHING
    provider_id = text.accepted.provider_message_id if is_answered else None
    message = a_message(account.id, gateway=slug, state=state, tries=1, country="GB", created_at=BEGIN)
    attempt = replace(an_attempt(message), id=_ATTEMPT, state=state, provider_message_id=provider_id)
    parts = [
        PartRow(_ATTEMPT, slug, part, number, MessageState.ACCEPTED)
        for number, part in enumerate(text.accepted.part_ids, start=1)
        if is_answered and text.accepted.part_ids != (provider_id,)
    ]
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.messages.add(message)
        uow.attempts.add([attempt])
        uow.attempts.add_parts(parts)
        uow.commit()
    return ledger, message, attempt


def _opts_out(_row: MessageRow) -> None:
    """Take note of it elsewhere: some vendors have a word for it."""
