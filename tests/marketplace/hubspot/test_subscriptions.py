"""Does HubSpot tell the connector of everything it listens to, and of nothing else?"""

from __future__ import annotations

from connector.adapters.crm.hubspot.contacts import contact_fields
from connector.adapters.crm.hubspot.properties import OPTED_OUT
from connector.adapters.crm.hubspot.webhooks import read_notice
from connector.adapters.event_files import load_events
from connector.domain.event import ChangeKind
from connector.domain.event_mapping import OnChange
from connector.ports.crm import OPTED_IN_AT, CRMAccount
from tests.marketplace.hubspot.project import ROOT, component

Subscription = tuple[str, str, str]
"""What happened, to which object, to which property (or "")."""

_WORDS = {
    ChangeKind.CREATED: "object.creation",
    ChangeKind.CHANGED: "object.propertyChange",
    ChangeKind.DELETED: "object.deletion",
    ChangeKind.MERGED: "object.merge",
    ChangeKind.RESTORED: "object.restore",
}

PEOPLE: dict[Subscription, str] = {
    ("object.deletion", "contact", ""): "nobody who is gone is texted",
    ("object.merge", "contact", ""): "people in journeys go on as the contact they became",
    ("object.restore", "contact", ""): "somebody who is back is texted again",
    ("object.propertyChange", "contact", OPTED_OUT): "a colleague's opt-out counts before the next text",
    ("object.propertyChange", "contact", OPTED_IN_AT): "consent recorded in HubSpot counts",
    ("object.propertyChange", "contact", "mobilephone"): "texts go to the number of now",
    ("object.propertyChange", "contact", "phone"): "texts go to the number of now",
    (
        "object.propertyChange",
        "invoice",
        "hs_due_date",
    ): "an invoice put off is no longer overdue, before the next poll",
}
"""What the connector has to hear beside the events of its mappings, and why."""


def _subscribed() -> list[Subscription]:
    objects = component("webhooks")["subscriptions"]["crmObjects"]
    return [(each["subscriptionType"], each["objectType"], each.get("propertyName", "")) for each in objects]


def _mapped() -> set[Subscription]:
    shelf = load_events(ROOT / "mappings")
    sources = [event.source for event in shelf.catalogue.by_crm["hubspot"].events.values()]
    changes = [source for source in sources if isinstance(source, OnChange)]
    return {(_WORDS[each.kind], each.object_type, each.property_name or "") for each in changes}


def test_every_event_of_the_mappings_is_subscribed_to_and_nothing_that_nobody_listens_to() -> None:
    hint = "change webhooks-hsmeta.json, or PEOPLE above with the reason"
    assert set(_subscribed()) == _mapped() | PEOPLE.keys(), hint


def test_nothing_is_subscribed_to_twice() -> None:
    assert len(set(_subscribed())) == len(_subscribed())


def test_whoever_must_be_forgotten_is_told_of() -> None:
    hub_events = component("webhooks")["subscriptions"]["hubEvents"]
    assert hub_events == [{"subscriptionType": "contact.privacyDeletion", "active": True}]


def test_every_property_that_holds_a_number_is_watched() -> None:
    fields = contact_fields(CRMAccount("account", "62515"))
    watched = {name for what, of, name in _subscribed() if (what, of) == ("object.propertyChange", "contact")}
    assert fields.phones | {each.property_name for each in fields.opt_out} <= watched


def test_what_is_delivered_for_each_subscription_is_understood() -> None:
    for what, of, name in _subscribed():
        type_id = {
            "contact": "0-1",
            "deal": "0-3",
            "ticket": "0-5",
            "invoice": "0-53",
            "order": "0-123",
            "cart": "0-142",
        }
        delivered = {
            "subscriptionType": what,
            "objectTypeId": type_id.get(
                of, {"appointment": "0-421", "commerce_payment": "0-101", "task": "0-27"}.get(of, "")
            ),
            "objectId": 1,
            "occurredAt": 1763700000000,
            "primaryObjectId": 1,
            "mergedObjectIds": [2],
            "propertyName": name or None,
            "propertyValue": "x",
        }
        notice = read_notice(delivered)
        assert notice is not None, (what, of)
        assert (_WORDS[notice.kind], notice.ref.object_type, notice.property_name or "") == (what, of, name)
