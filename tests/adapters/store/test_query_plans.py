"""Does SQLite find rows by an index in everything that happens all day, however large the ledger grows?

SQLite plans without statistics here, as in a ledger nobody has run ANALYZE on. A plan that scans a table, or walks all
rows of an account, is cheap in every other test and ruinous after a million texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import MessageState, Purpose
from connector.domain.steps import Metric
from connector.domain.timeline import EntryKind
from connector.ports.attempts import PartRow
from connector.ports.effects import EffectState
from connector.ports.gateway import IncomingSMS, Piece
from connector.ports.ledger import UnitOfWork
from connector.ports.links import ShortLinkRow
from connector.ports.message_filters import DeadLetterFilter, MessageFilter
from connector.ports.messages import StateChange
from connector.ports.pieces import PieceRow
from connector.ports.records import RecordSubject
from tests.adapters.store.factories import NOW, NUMBER

LATER = NOW + timedelta(minutes=1)
GROWING = (
    "message", "attempt", "timeline_entry", "enrollment", "crm_record", "external_event", "consent_event",
    "effect", "short_link", "click", "split_assignment", "answer_count", "attempt_part", "incoming_piece",
    "route_tally", "spending", "number_lookup", "publication",
)  # fmt: skip
FEW = "open|due|waiting|ask|dead|wanted"  # partial indexes over rows that wait for something
WALKS = re.compile(rf"^SCAN ({'|'.join(GROWING)})\b(?! USING (COVERING )?INDEX ix_\w+_({FEW})\b)")
# `publication` grows by a row whenever a person publishes: reading an account's is cheap, reading everybody's is not.
WALKS_AN_ACCOUNT = re.compile(rf"^SEARCH ({'|'.join(GROWING[:-1])}) USING .*\((account_id|crm)=\?\)$")

LINK = ShortLinkRow("l1", "a", "q7Xk2m", "payment", "https://pay.example", "m1", NOW)
PART = PartRow("t1", "vonage", "P1", 1, MessageState.SENT)
PIECE = PieceRow("vonage", IncomingSMS("MO1", NUMBER, "+12025550100", "Hello", piece=Piece("one", 1, 2)), NOW)
CHANGE = StateChange("m1", MessageState.QUEUED, MessageState.DISPATCHING, "")

DAILY: dict[str, Callable[[UnitOfWork], object]] = {
    "inbox.claim": lambda uow: uow.inbox.claim(["hubspot", "twilio.status"], 100, NOW, LATER),
    "inbox.finish": lambda uow: uow.inbox.finish(["e1", "e2"], "done", NOW),
    "inbox.waiting": lambda uow: uow.inbox.waiting(NOW),
    "messages.get": lambda uow: uow.messages.get("a", "m1"),
    "messages.by_key": lambda uow: uow.messages.by_key("a", "k"),
    "enrollments.ended": lambda uow: uow.enrollments.ended(["e1", "e2"]),
    "messages.many": lambda uow: uow.messages.many(["m1", "m2"]),
    "messages.queued": lambda uow: uow.messages.queued("twilio", "transactional", 100, NOW),
    "messages.standing": lambda uow: uow.messages.standing(["m1", "m2"]),
    "messages.move": lambda uow: uow.messages.move([CHANGE], NOW),
    "messages.due": lambda uow: uow.messages.due(NOW, 100),
    "messages.abandoned": lambda uow: uow.messages.abandoned(NOW, 100),
    "messages.waiting_lanes": lambda uow: uow.messages.waiting_lanes(NOW),
    "messages.open_to": lambda uow: uow.messages.open_to("a", NUMBER),
    "messages.sent_times": lambda uow: uow.messages.sent_times("a", [NUMBER, "+12025550144"], NOW),
    "messages.last_sent_to": lambda uow: uow.messages.last_sent_to(NUMBER, None),
    "messages.last_sent_to from a sender": lambda uow: uow.messages.last_sent_to(NUMBER, "+12025550100"),
    "messages.open_of a contact": lambda uow: uow.messages.open_of("a", 50, "c1"),
    "messages.of_contact": lambda uow: uow.messages.of_contact("a", "c1", 50),
    "messages.of_enrollment": lambda uow: uow.messages.of_enrollment("n1"),
    "attempts.many": lambda uow: uow.attempts.many(["t1", "t2"]),
    "attempts.by_provider_ids": lambda uow: uow.attempts.by_provider_ids("twilio", ["SM1", "SM2"]),
    "attempts.named": lambda uow: uow.attempts.named("twilio", ["SM1", "P1"]),
    "attempts.of_messages": lambda uow: uow.attempts.of_messages(["m1", "m2"]),
    "attempts.to_ask": lambda uow: uow.attempts.to_ask(NOW, 100, LATER),
    "attempts.any_to_ask": lambda uow: uow.attempts.any_to_ask(NOW),
    "attempts.to_redact": lambda uow: uow.attempts.to_redact(NOW, 100, LATER),
    "attempts.any_to_redact": lambda uow: uow.attempts.any_to_redact(NOW),
    "attempts.provider_ids_to": lambda uow: uow.attempts.provider_ids_to(NUMBER, NOW),
    "enrollments.latest": lambda uow: uow.enrollments.latest("a", "j", "c1", "k"),
    "enrollments.claim": lambda uow: uow.enrollments.claim(100, NOW, LATER),
    "enrollments.wake by contact": lambda uow: uow.enrollments.wake("a", contact_ids=["c1", "c2"], now=NOW),
    "enrollments.wake by subject": lambda uow: uow.enrollments.wake("a", subjects=["deal:1"], now=NOW),
    "enrollments.wake by id": lambda uow: uow.enrollments.wake("a", enrollment_ids=["n1", "n2"], now=NOW),
    "enrollments.wake by two": lambda uow: uow.enrollments.wake(
        "a", contact_ids=["c1"], enrollment_ids=["n1"], now=NOW
    ),
    "enrollments.any_due": lambda uow: uow.enrollments.any_due(NOW),
    "enrollments.due_count": lambda uow: uow.enrollments.due_count(NOW),
    "timeline.facts": lambda uow: uow.timeline.facts("a", "c1", "deal:1", NOW, [EntryKind.REPLY_RECEIVED]),
    "timeline.of_message": lambda uow: uow.timeline.of_message("a", "m1"),
    "timeline.of_enrollment": lambda uow: uow.timeline.of_enrollment("a", "n1"),
    "timeline.of_contact": lambda uow: uow.timeline.of_contact("a", "c1", 50),
    "enrollments.live_of_journey": lambda uow: uow.enrollments.live_of_journey("a", "j", "e1", 300, is_locked=True),
    "messages.rivals": lambda uow: uow.messages.rivals("a", [NUMBER, "+12025550144"], LATER),
    "messages.unanswered": lambda uow: uow.messages.unanswered("a", [NUMBER], Purpose.MARKETING, NOW),
    "messages.set_engagement": lambda uow: uow.messages.set_engagement("m1", clicked_at=NOW),
    "effects.claim": lambda uow: uow.effects.claim(100, NOW, LATER),
    "effects.any_due": lambda uow: uow.effects.any_due(NOW),
    "effects.by_keys": lambda uow: uow.effects.by_keys("a", ["k1", "k2"]),
    "effects.end": lambda uow: uow.effects.end("f1", EffectState.DONE, NOW),
    "effects.failed": lambda uow: uow.effects.failed("a", 20),
    "publications.current": lambda uow: uow.publications.current("a"),
    "publications.stamp": lambda uow: uow.publications.stamp("a"),
    "publications.history": lambda uow: uow.publications.history("a", "j"),
    "links.by_code": lambda uow: uow.links.by_code("q7Xk2m"),
    "links.of_message": lambda uow: uow.links.of_message("m1"),
    "links.click": lambda uow: uow.links.click("k1", LINK, NOW, is_person=True),
    "splits.standing": lambda uow: uow.splits.standing("a", "j", "c1"),
    "splits.count": lambda uow: uow.splits.count("a", "j", "s", Metric.REPLY_RATE, NOW, timedelta(days=3)),
    "splits.winner": lambda uow: uow.splits.winner("a", "j", "s"),
    "habits.of": lambda uow: uow.habits.of("a", "c1", "US"),
    "consents.suppressions": lambda uow: uow.consents.suppressions("a", [NUMBER, "+12025550144"]),
    "consents.marketing_consent": lambda uow: uow.consents.marketing_consent("a", [NUMBER, "+12025550144"]),
    "records.changed": lambda uow: uow.records.changed("a", RecordSubject.MESSAGE, ["message:1", "message:2"], NOW),
    "records.claim": lambda uow: uow.records.claim("hubspot", 100, NOW, LATER, timedelta(seconds=2)),
    "records.mark_creating": lambda uow: uow.records.mark_creating(["r1", "r2"], NOW),
    "records.mark_written": lambda uow: uow.records.mark_written([("r1", 1, "7"), ("r2", 1, None)], NOW),
    "records.postpone": lambda uow: uow.records.postpone(["r1"], "busy", LATER, certain=True),
    "records.put_off": lambda uow: uow.records.put_off("a", NOW, LATER),
    "records.waiting": lambda uow: uow.records.waiting(NOW),
    "records.flags": lambda uow: uow.records.flags("a", ["51", "52"]),
    "records.put_off_because": lambda uow: uow.records.put_off_because(20),
    "messages.listed by number": lambda uow: uow.messages.listed("a", MessageFilter(msisdn=NUMBER), 50),
    "messages.conversation": lambda uow: uow.messages.conversation("a", NUMBER, 50),
    "messages.dead_letters": lambda uow: uow.messages.dead_letters(DeadLetterFilter(gateway="twilio"), 50),
    "messages.dead_letters of an account": lambda uow: uow.messages.dead_letters(DeadLetterFilter(account_id="a"), 50),
    "messages.last_senders": lambda uow: uow.messages.last_senders("a", [NUMBER, "+12025550144"]),
    "attempts.part": lambda uow: uow.attempts.part("vonage", "P1"),
    "attempts.parts_of": lambda uow: uow.attempts.parts_of("t1"),
    "attempts.move_part": lambda uow: uow.attempts.move_part(PART),
    "pieces.of": lambda uow: uow.pieces.of(PIECE),
    "pieces.drop": lambda uow: uow.pieces.drop([PIECE]),
    "pieces.put_off": lambda uow: uow.pieces.put_off([PIECE], NOW),
    "pieces.older_than": lambda uow: uow.pieces.older_than(NOW, 50),
    "traffic.tallies": lambda uow: uow.traffic.tallies(NOW),
    "traffic.forget_tallies": lambda uow: uow.traffic.forget_tallies(NOW),
    "traffic.health": lambda uow: uow.traffic.health("twilio"),
    "traffic.spent": lambda uow: uow.traffic.spent(["2026-11-20", "2026-11-21"]),
    "numbers.of": lambda uow: uow.numbers.of("a", [NUMBER, "+12025550144"]),
    "numbers.claim": lambda uow: uow.numbers.claim(20, NOW, LATER),
    "numbers.any_wanted": lambda uow: uow.numbers.any_wanted(NOW),
    "numbers.asked_since": lambda uow: uow.numbers.asked_since("a", NOW),
    "records.of_messages": lambda uow: uow.records.of_messages("a", ["1", "2"]),
}


@contextmanager
def plans_of(sql_ledger: SQLLedger) -> Iterator[list[str]]:
    """Give a list that gets a line per table that a statement of the block reaches into."""
    lines: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, is_many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            own = cursor.connection.cursor()
            own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if is_many else parameters)
            lines.extend(row[3] for row in own.fetchall())

    event.listen(sql_ledger.engine, "before_cursor_execute", explain)
    yield lines
    event.remove(sql_ledger.engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", DAILY)
def test_what_happens_all_day_finds_its_rows_by_an_index(sql_ledger: SQLLedger, name: str) -> None:
    with plans_of(sql_ledger) as lines, sql_ledger.begin() as uow:
        DAILY[name](uow)
    assert lines, "nothing was planned"
    assert [line for line in lines if WALKS.match(line) or WALKS_AN_ACCOUNT.match(line)] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_urgent_attempts_are_found_by_an_index_of_their_own(sql_ledger: SQLLedger) -> None:
    with plans_of(sql_ledger) as lines, sql_ledger.begin() as uow:
        uow.attempts.to_ask(NOW, 100, LATER)
    assert [line for line in lines if "ix_attempt_urgent_ask" in line]
