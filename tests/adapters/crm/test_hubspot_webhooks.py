"""Are HubSpot's deliveries cut and understood as they are documented?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.adapters.crm.hubspot.webhooks import UnreadableBatchError, read_notice, split_batch
from connector.domain.event import ChangeKind, ObjectRef

STAGE_CHANGE: dict[str, Any] = {
    "eventId": 100, "subscriptionId": 200, "portalId": 12345, "appId": 678, "occurredAt": 1763700000000,
    "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "objectId": 9001,
    "propertyName": "dealstage", "propertyValue": "closedwon", "changeSource": "CRM_UI",
}  # fmt: skip


def ids_of(*events: dict[str, Any]) -> list[str]:
    return [event.external_id for event in split_batch(json.dumps(list(events)).encode())]


def test_a_batch_is_cut_into_events_that_keep_their_portal_and_text() -> None:
    other = STAGE_CHANGE | {"portalId": 777, "propertyValue": "Grüße \U0001f600 \ud800"}
    first, second = split_batch(json.dumps([STAGE_CHANGE, other]).encode())
    assert (first.portal_id, second.portal_id) == ("12345", "777")
    assert json.loads(first.body) == STAGE_CHANGE
    assert json.loads(second.body) == other


def test_a_retry_has_the_id_of_the_first_delivery() -> None:
    first, retry = ids_of(STAGE_CHANGE, STAGE_CHANGE | {"attemptNumber": 3})
    assert first == retry
    assert len(first) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"eventId": 101}, {"portalId": 1}, {"appId": 1}, {"occurredAt": 1763700000001}, {"objectId": 9002},
        {"propertyName": "amount"}, {"objectTypeId": "0-3"}, {"subscriptionType": "deal.creation"},
    ],
)  # fmt: skip
def test_anything_that_names_an_event_changes_its_id(change: dict[str, Any]) -> None:
    first, other = ids_of(STAGE_CHANGE, STAGE_CHANGE | change)
    assert first != other


def test_more_than_a_hundred_events_are_taken() -> None:
    assert len(ids_of(*(STAGE_CHANGE | {"eventId": n} for n in range(150)))) == 150


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000])
def test_a_body_that_is_not_json_says_so(body: bytes) -> None:
    with pytest.raises(UnreadableBatchError, match="not JSON"):
        split_batch(body)


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"'])
def test_a_body_that_is_no_array_says_what_it_is(body: bytes) -> None:
    with pytest.raises(UnreadableBatchError, match="not an array"):
        split_batch(body)


def test_an_array_of_anything_but_objects_is_refused() -> None:
    with pytest.raises(UnreadableBatchError, match="no event object"):
        split_batch(b"[1]")


def test_an_empty_batch_has_no_events() -> None:
    assert split_batch(b"[]") == []


def test_a_property_change_is_understood() -> None:
    notice = read_notice(STAGE_CHANGE)
    assert notice is not None
    assert notice.ref == ObjectRef("deal", "9001")
    assert notice.kind is ChangeKind.CHANGED
    assert (notice.property_name, notice.property_value) == ("dealstage", "closedwon")
    assert notice.occurred_at == datetime(2025, 11, 21, 4, 40, tzinfo=UTC)
    assert not notice.is_import


@pytest.mark.parametrize(
    ("type_id", "name"),
    [("0-1", "contact"), ("0-2", "company"), ("0-3", "deal"), ("0-5", "ticket"), ("0-53", "invoice"), ("2-7", "2-7")],
)
def test_generic_events_take_their_type_from_the_type_id(type_id: str, name: str) -> None:
    event = STAGE_CHANGE | {"subscriptionType": "object.propertyChange", "objectTypeId": type_id}
    notice = read_notice(event)
    assert notice is not None
    assert notice.ref == ObjectRef(name, "9001")


def test_the_type_may_be_called_event_type() -> None:
    event = {name: value for name, value in STAGE_CHANGE.items() if name != "subscriptionType"}
    renamed = event | {"eventType": "deal.propertyChange"}
    assert read_notice(renamed) == read_notice(STAGE_CHANGE)
    assert ids_of(renamed) == ids_of(STAGE_CHANGE)


@pytest.mark.parametrize(
    ("subscription", "kind"),
    [
        ("contact.creation", ChangeKind.CREATED),
        ("contact.deletion", ChangeKind.DELETED),
        ("contact.restore", ChangeKind.RESTORED),
        ("contact.privacyDeletion", ChangeKind.PRIVACY_DELETED),
    ],
)
def test_creation_and_both_deletions_are_told_apart(subscription: str, kind: ChangeKind) -> None:
    event = {"subscriptionType": subscription, "objectId": 51, "portalId": 1, "occurredAt": 1763700000000}
    notice = read_notice(event)
    assert notice is not None
    assert (notice.kind, notice.ref, notice.property_name) == (kind, ObjectRef("contact", "51"), None)


def test_an_import_is_marked() -> None:
    notice = read_notice(STAGE_CHANGE | {"changeSource": "IMPORT"})
    assert notice is not None
    assert notice.is_import


def a_merge(**ids: Any) -> dict[str, Any]:
    return {"subscriptionType": "contact.merge", "portalId": 1, "occurredAt": 1763700000000, **ids}


def test_a_merge_into_the_primary_names_what_is_gone() -> None:
    notice = read_notice(a_merge(primaryObjectId=5, mergedObjectIds=[6, 7], newObjectId=5))
    assert notice is not None
    assert (notice.ref, notice.merged_ids) == (ObjectRef("contact", "5"), ("6", "7"))


def test_a_merge_into_a_new_record_takes_the_primary_along() -> None:
    notice = read_notice(a_merge(primaryObjectId=5, mergedObjectIds=[6], newObjectId=9, objectId=5))
    assert notice is not None
    assert (notice.kind, notice.ref) == (ChangeKind.MERGED, ObjectRef("contact", "9"))
    assert notice.merged_ids == ("6", "5")


@pytest.mark.parametrize(
    "event",
    [
        {},
        STAGE_CHANGE | {"subscriptionType": "deal.associationChange"},
        STAGE_CHANGE | {"subscriptionType": "conversation.creation"},
        STAGE_CHANGE | {"subscriptionType": "object.propertyChange"},
        STAGE_CHANGE | {"subscriptionType": ["deal.propertyChange"]},
        STAGE_CHANGE | {"objectId": None},
        STAGE_CHANGE | {"occurredAt": "yesterday"},
        STAGE_CHANGE | {"occurredAt": 10**30},
        a_merge(primaryObjectId=5, mergedObjectIds=None),
    ],
)
def test_what_we_have_no_use_for_or_lacks_its_ids_is_none(event: dict[str, Any]) -> None:
    assert read_notice(event) is None
