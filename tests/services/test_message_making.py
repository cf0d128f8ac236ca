"""Does a send step make what its file says, for whoever it names, or say why it cannot?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from connector.adapters.rendering import Renderer
from connector.domain.event import Owner
from connector.domain.journey import Enroll, Journey, Trigger
from connector.domain.message import LIFETIMES, Purpose, SendPolicy
from connector.domain.places import Expression, Place, Text
from connector.domain.steps import Send
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.services.message_making import MessageMaker, Setting, UnsendableError

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
HERE = Place("journeys/j.yaml", 1, 1)
JOURNEY = Journey(
    id="j",
    title="The journey",
    purpose=Purpose.TRANSACTIONAL,
    trigger=Trigger("deal.stage_changed", HERE),
    enroll=Enroll(Expression("deal.id", HERE)),
    steps=(),
    file="journeys/j.yaml",
    hash="hash",
    source={},
)
LEA = ContactRow(
    id="contact-1",
    account_id="account-1",
    crm="hubspot",
    crm_id="51",
    msisdn="+12025550143",
    msisdn_reason="mobilephone",
    time_zone="America/Chicago",
    locale="en-US",
    country="US",
    owner_id="7",
    attributes={},
    read_at=NOW,
)
SAM = Owner("7", "Sam Okafor", "sam@example.com")
NAMES: Mapping[str, Any] = {"contact": {"phone": "(202) 555-0178", "name": "Lea", "empty": None}}


def account(**settings: Any) -> AccountRow:
    known = {"default_region": "US", "owner_phones": {"sam@example.com": "202 555 0199"}, **settings}
    return AccountRow("account-1", "hubspot", "12345", "Acme", "active", "", known, NOW)


def setting(**changes: Any) -> Setting:
    usual = Setting(account(), JOURNEY, "enrollment-1", LEA, SAM, NAMES)
    return replace(usual, **changes)


def send(**more: Any) -> Send:
    values: dict[str, Any] = {"id": "first", "path": "steps[0]", "place": HERE, "text": Text("Hi", HERE)}
    return Send(**values | more)


def made(step: Send, where: Setting | None = None) -> MessageRow:
    ids = count(1)
    maker = MessageMaker(Renderer(), "null", lambda: f"id-{next(ids)}")
    return maker.make(where or setting(), step, "key", NOW).message


@pytest.mark.parametrize(
    ("route", "gateway", "shown"),
    [
        (None, "null", None),
        ("premium", "twilio", "premium, which is twilio"),
        ("gone", "null", "gone leads to no gateway in use here; null takes it"),
    ],
)
def test_a_route_leads_to_its_gateway_and_one_that_leads_nowhere_holds_nothing(
    route: str | None, gateway: str, shown: str | None
) -> None:
    maker = MessageMaker(Renderer(), "null", lambda: "id-1", {"premium": "twilio"})
    found = maker.make(setting(), send(route=route), "key", NOW)
    assert (found.message.gateway, found.message.route, found.shown.get("route")) == (gateway, route or "", shown)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_text_expires_at_last(purpose: Purpose) -> None:
    message = made(send(purpose=purpose))
    assert (message.purpose, message.expires_at) == (purpose, NOW + LIFETIMES[purpose])
    assert made(send(expires_after=timedelta(hours=1))).expires_at == NOW + timedelta(hours=1)


def test_a_step_s_own_wishes_come_before_the_journey_s() -> None:
    step = send(policy=SendPolicy.AT_LEAST_ONCE, window="anytime", sender="ACME", purpose=Purpose.OTP)
    message = made(step, setting(journey=replace(JOURNEY, window="office")))
    assert (message.policy, message.send_window, message.sender) == (SendPolicy.AT_LEAST_ONCE, "anytime", "ACME")
    assert made(send(), setting(journey=replace(JOURNEY, window="office"))).send_window == "office"


def test_a_number_may_come_from_an_expression() -> None:
    message = made(send(to=Expression("contact.phone", HERE)))
    assert (message.msisdn, message.recipient) == ("+12025550178", "number")


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (Expression("contact.empty", HERE), "to failed"),
        (Expression("contact.name", HERE), "contact.name: the number"),
        ("everybody", "nobody is meant by to: everybody"),
    ],
)
def test_a_recipient_that_gives_no_number_says_why(to: str | Expression, why: str) -> None:
    with pytest.raises(UnsendableError, match=why):
        made(send(to=to))


def test_a_contact_that_lost_its_number_says_why() -> None:
    gone = replace(LEA, msisdn=None, msisdn_reason="the contact has no phone number")
    with pytest.raises(UnsendableError, match="no usable number: the contact has no phone number"):
        made(send(), setting(contact=gone))


def test_a_record_without_an_owner_says_so() -> None:
    with pytest.raises(UnsendableError, match="no owner"):
        made(send(to="owner"), setting(owner=None))


def test_an_owner_s_phone_that_is_no_number_says_so() -> None:
    with pytest.raises(UnsendableError, match="owner_phones"):
        made(send(to="owner"), setting(account=account(owner_phones={"sam@example.com": "soon"})))


@pytest.mark.parametrize(
    ("journey_zone", "to", "zones"),
    [
        ("contact", "contact", ("America/Chicago",)),
        ("account", "contact", ("Europe/London",)),
        ("Asia/Tokyo", "contact", ("Asia/Tokyo",)),
        ("contact", "owner", ("Europe/London",)),
    ],
)
def test_the_clock_that_counts_is_the_journey_s_choice(journey_zone: str, to: str, zones: tuple[str, ...]) -> None:
    where = setting(account=account(time_zone="Europe/London"), journey=replace(JOURNEY, time_zone=journey_zone))
    assert made(send(to=to), where).time_zones == zones


@pytest.mark.parametrize(("own", "zones"), [("America/Chicago", ("America/Chicago",)), (None, ("America/New_York",))])
@pytest.mark.parametrize("journey_zone", ["contact", "account", "Europe/Berlin"])
def test_the_hours_of_marketing_are_those_where_the_recipient_is(
    journey_zone: str, own: str | None, zones: tuple[str, ...]
) -> None:
    journey = replace(JOURNEY, time_zone=journey_zone, purpose=Purpose.MARKETING)
    where = setting(account=account(time_zone="Europe/London"), journey=journey, contact=replace(LEA, time_zone=own))
    assert made(send(), where).time_zones == zones


def test_without_a_zone_of_its_own_a_number_s_possible_zones_count() -> None:
    assert made(send(), setting(contact=replace(LEA, time_zone=None))).time_zones == ("America/New_York",)


def test_smart_characters_stay_when_the_account_wants_them() -> None:
    step = send(text=Text("It\u2019s on", HERE))
    assert made(step).encoding == "gsm7"
    message = made(step, setting(account=account(replace_smart_characters=False)))
    assert (message.body, message.encoding) == ("It\u2019s on", "ucs2")
