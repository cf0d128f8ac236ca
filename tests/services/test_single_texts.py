"""Does one text that no journey made go out like every other, once, and as it was ordered?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.rendering import Renderer
from connector.adapters.template_folder import TemplateFolder
from connector.domain.message import LIFETIMES, MessageState, Purpose
from connector.domain.timeline import EntryKind
from connector.errors import InvalidNumberError
from connector.ports.messages import MessageRow
from connector.ports.queue import send_lane
from connector.services.callback_secrets import CallbackSecrets
from connector.services.links import LinkWriter
from connector.services.single_texts import Ordered, OrderTools, SingleTexts, TextOrder
from connector.services.text_orders import LONGEST_AHEAD, KeyReusedError, UnusableOrderError
from tests.services.stage import NUMBER, START, Stage

ORDER = TextOrder("account-1", NUMBER, "Your table is ready", idempotency_key="table-7")
HOUR = timedelta(hours=1)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def texts(stage: Stage, tmp_path: Path) -> SingleTexts:
    (tmp_path / "templates" / "shop").mkdir(parents=True)
    (tmp_path / "templates" / "shop" / "ready.txt.j2").write_text("Order {{ order.id }} is ready, {{ account.name }}")
    (tmp_path / "templates" / "shop" / "ready.de.txt.j2").write_text("Bestellung {{ order.id }} ist fertig")
    (tmp_path / "templates" / "shop" / "pay.txt.j2").write_text("Pay here: {{ 'https://pay.example' | link('pay') }}")
    tools = OrderTools(
        gateway="null",
        templates=TemplateFolder(tmp_path / "templates", Renderer(sample_link="")),
        fingerprints=HMACFingerprints(["k" * 32]),
        secrets=CallbackSecrets(stage.ledger, stage.clock, lambda: "whsec_1"),
        links=LinkWriter("https://sms.example.com", lambda _below: 7),
    )
    return SingleTexts(stage.ledger, tools, stage.clock)


def ordered(texts: SingleTexts, **changes: Any) -> Ordered:
    return texts.queue(replace(ORDER, idempotency_key=None, **changes))


def test_a_number_of_no_country_has_none(texts: SingleTexts) -> None:
    """Numbers such as +883 belong to the region 001 ("world"), which is no country."""
    assert ordered(texts, to="+883510012345").message.country is None


def test_the_same_order_twice_is_one_text(texts: SingleTexts) -> None:
    first, again = texts.queue(ORDER), texts.queue(ORDER)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.message.id == again.message.id


def test_orders_without_a_key_are_texts_of_their_own(texts: SingleTexts) -> None:
    assert ordered(texts).message.id != ordered(texts).message.id


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Your table is gone"},
        {"to": "+12025550144"},
        {"sender": "+12025550101"},
        {"purpose": Purpose.MARKETING},
        {"priority": 9},
        {"callback_url": "https://shop.example/hook"},
        {"send_at": START + HOUR},
        {"expires_at": START + HOUR},
        {"body": None, "template": "shop/ready", "data": {"order": {"id": 7}}},
    ],
)
def test_another_order_under_the_same_key_is_refused(texts: SingleTexts, changes: dict[str, Any]) -> None:
    texts.queue(ORDER)
    with pytest.raises(KeyReusedError):
        texts.queue(replace(ORDER, **changes))


def test_the_same_order_in_another_time_zone_is_the_same(texts: SingleTexts) -> None:
    order = replace(ORDER, send_at=START + HOUR)
    moved = replace(order, send_at=datetime.fromisoformat("2026-11-20T16:00:00+01:00"))
    assert moved.send_at == order.send_at
    assert texts.queue(order).message.id == texts.queue(moved).message.id


def test_the_same_key_of_another_account_is_another_order(texts: SingleTexts, stage: Stage) -> None:
    stage.add_account("account-2")
    assert texts.queue(replace(ORDER, account_id="account-2")).message.id != texts.queue(ORDER).message.id


def test_a_row_from_before_fingerprints_were_kept_is_believed(texts: SingleTexts, stage: Stage) -> None:
    old = stage.add_message(idempotency_key="order:table-7")
    assert texts.queue(ORDER).message.id == old.id


def test_an_order_that_meets_another_in_the_making_is_given_that_one(
    texts: SingleTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once under one key: the second one's look finds nothing, its insert finds the first."""
    first = texts.queue(ORDER)
    looks: list[str] = []

    def blind_once(_self: object, _account: str, key: str) -> MessageRow | None:
        looks.append(key)
        return first.message if len(looks) > 1 else None

    monkeypatch.setattr("connector.adapters.store.messages.SQLMessageRepository.by_key", blind_once)
    again = texts.queue(ORDER)
    assert (again.is_new, again.message.id, len(looks)) == (False, first.message.id, 2)


def test_a_text_to_a_merged_contact_is_shown_on_the_survivor(texts: SingleTexts, stage: Stage) -> None:
    stage.change_contact(stage.lea, merged_into="52")
    texts.queue(ORDER)
    stage.drain()
    assert [shown.contact_crm_id for shown in stage.crm.records.values()] == ["52"]


def test_a_text_for_later_is_held_until_then_and_lives_from_then_on(texts: SingleTexts, stage: Stage) -> None:
    message = ordered(texts, send_at=START + HOUR).message
    assert (message.state, message.not_before) == (MessageState.HELD, START + HOUR)
    assert message.expires_at == START + HOUR + LIFETIMES[Purpose.TRANSACTIONAL]
    assert send_lane("null", "transactional") not in stage.nudged


def test_a_time_that_is_past_means_now(texts: SingleTexts, stage: Stage) -> None:
    message = ordered(texts, send_at=START - HOUR).message
    assert (message.state, message.not_before) == (MessageState.QUEUED, START)
    assert send_lane("null", "transactional") in stage.nudged


def test_what_was_ordered_beside_the_text_is_in_the_row(texts: SingleTexts) -> None:
    message = ordered(
        texts, sender="+12025550101", priority=9, ordered_by="api:key-1", expires_at=START + HOUR
    ).message  # fmt: skip
    assert (message.sender, message.wanted_sender) == ("+12025550101", "+12025550101")
    assert (message.priority, message.ordered_by, message.expires_at) == (9, "api:key-1", START + HOUR)


def test_a_template_is_written_in_the_contacts_language_with_its_values(texts: SingleTexts, stage: Stage) -> None:
    data = {"order": {"id": 7}}
    assert ordered(texts, body=None, template="shop/ready", data=data).message.body == "Order 7 is ready, Acme"
    with stage.ledger.begin() as uow:
        uow.contacts.save(replace(stage.lea, locale="de-AT"))
        uow.commit()
    assert ordered(texts, body=None, template="shop/ready", data=data).message.body == "Bestellung 7 ist fertig"
    other = ordered(texts, body=None, template="shop/ready", data=data, to="+12025550199").message
    assert other.body == "Order 7 is ready, Acme"


def test_links_of_a_template_are_kept_with_the_text(texts: SingleTexts, stage: Stage) -> None:
    message = ordered(texts, body=None, template="shop/pay").message
    with stage.ledger.begin(write=False) as uow:
        (link,) = uow.links.of_message(message.id)
    assert message.body == f"Pay here: https://sms.example.com/l/{link.code}"
    assert link.url.startswith("https://pay.example")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"body": "  "}, "body"),
        ({"body": None}, "body"),
        ({"template": "shop/ready"}, "body"),
        ({"data": {"a": 1}}, "data"),
        ({"body": None, "template": "shop/ready"}, "template"),
        ({"body": None, "template": "shop/unheard-of"}, "template"),
        ({"body": None, "template": "../../etc/passwd"}, "template"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 201}, "idempotency_key"),
        ({"priority": 10}, "priority"),
        ({"send_at": START + LONGEST_AHEAD + HOUR}, "send_at"),
        ({"expires_at": START}, "expires_at"),
        ({"expires_at": START + LONGEST_AHEAD + HOUR}, "expires_at"),
        ({"expires_at": datetime.fromisoformat("9999-12-31T23:59:59-12:00")}, "expires_at"),
        ({"send_at": START + HOUR, "expires_at": START + HOUR}, "expires_at"),
    ],
)
def test_an_order_that_cannot_be_carried_out_names_what_is_wrong_and_queues_nothing(
    texts: SingleTexts, stage: Stage, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(UnusableOrderError) as caught:
        texts.queue(replace(ORDER, **changes))
    assert caught.value.field == field
    with stage.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {}


@pytest.mark.parametrize("to", ["12", "+1 900 555 0123"])
def test_a_number_that_gets_no_sms_is_refused(texts: SingleTexts, to: str) -> None:
    with pytest.raises(InvalidNumberError):
        ordered(texts, to=to)


def test_of_many_the_ones_that_cannot_be_sent_stop_no_other(texts: SingleTexts, stage: Stage) -> None:
    orders = [ORDER, replace(ORDER, body="another"), replace(ORDER, to="12", idempotency_key=None), ORDER]
    with stage.ledger.begin() as uow:
        first, reused, unknown, again = texts.put_all(uow, orders)
        uow.commit()
    assert isinstance(first, Ordered)
    assert isinstance(again, Ordered)
    assert first.message.id == again.message.id
    assert isinstance(reused, KeyReusedError)
    assert isinstance(unknown, InvalidNumberError)
    with stage.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {"queued": 1}


def test_an_order_with_a_callback_makes_the_accounts_first_secret(texts: SingleTexts, stage: Stage) -> None:
    for _ in range(2):
        ordered(texts, callback_url="https://shop.example/hook")
    with stage.ledger.begin(write=False) as uow:
        assert [each.secret for each in uow.callback_secrets.valid("account-1", START)] == ["whsec_1"]


def test_the_trace_says_who_ordered_a_text_and_nothing_of_it(texts: SingleTexts, stage: Stage) -> None:
    for who in ("api:key-1", "cli", ""):
        message = ordered(texts, ordered_by=who).message
        with stage.ledger.begin(write=False) as uow:
            (entry,) = uow.timeline.of_message("account-1", message.id)
        assert entry.kind is EntryKind.MESSAGE_CREATED
        assert entry.data == ({"ordered_by": who} if who else {})
        assert ("a program" in entry.summary) is (who == "api:key-1")


def test_a_fingerprint_tells_a_reader_of_the_ledger_nothing() -> None:
    """A known number and a six-digit code make a million texts, whose plain hashes anybody could try."""
    ours, others = HMACFingerprints(["k" * 32]), HMACFingerprints(["j" * 32])
    assert ours.make("text") != others.make("text")
    assert not others.matches(ours.make("text"), "text")
    assert len(ours.make("text")) <= 64


def test_a_fingerprint_outlives_a_new_secret() -> None:
    old = HMACFingerprints(["k" * 32]).make("text")
    rotated = HMACFingerprints(["j" * 32, "k" * 32])
    assert rotated.matches(old, "text")
    assert not rotated.matches(old, "another text")
    assert rotated.make("text") != old


def test_times_of_orders_are_kept_in_utc(texts: SingleTexts) -> None:
    at = datetime.fromisoformat("2026-11-20T16:00:00+01:00")
    assert ordered(texts, send_at=at).message.not_before == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_an_order_repeated_after_its_time_is_the_text_it_made(texts: SingleTexts, stage: Stage) -> None:
    """An answer that was lost is asked for again, perhaps when the text could not be ordered any more."""
    order = replace(ORDER, expires_at=START + HOUR)
    first = texts.queue(order)
    stage.pass_time(hours=2)
    again = texts.queue(order)
    assert (again.message.id, again.is_new) == (first.message.id, False)
